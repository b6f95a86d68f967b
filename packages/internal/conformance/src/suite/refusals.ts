// What registered kernels refuse: one that is given the wrong tensors would read or write where others lie.
import { KERNELS, KernelInputError, type KernelKey } from '@rebatch/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';

const VIEW = { outer: 4, channels: 3, inner: 1, groups: 1, epsilon: 1e-3 };

type Attempt = readonly [key: KernelKey, inputs: tf.NamedTensorMap, attributes: object, message: RegExp];

function attemptsWith(
  tensors: Record<'x' | 'integers' | 'moments' | 'ids' | 'floats', tf.Tensor>,
): Attempt[] {
  const { x, integers, moments, ids, floats } = tensors;
  const gradient = { dy: x, x, moments };
  const all = { ...VIEW, count: 4, affine: 'channel' };
  const over = { ...VIEW, low: 0, high: 6 };
  return [
    ['moments', { x }, { ...VIEW, outer: 5 }, /expected x to hold 15 values, got shape \[4, 3\] \(12\)/],
    ['moments', { x }, { ...VIEW, groups: 3 }, /expected groups to divide outer \(4\), got 3/],
    ['moments', { x }, { ...VIEW, inner: 0 }, /expected inner to be a whole number of at least 1, got 0/],
    ['moments', { x }, {}, /expected outer to be a whole number of at least 1, got undefined/],
    ['moments', { x: integers }, VIEW, /expected x to be float32, got int32.*tf\.cast\(x, 'float32'\)/],
    ['moments', { x, ids }, VIEW, /expected the number of ids to divide outer \(4\), got 3/],
    ['moments', { x, ids: floats }, VIEW, /expected ids to be int32, got float32/],
    ['normalize', { x }, VIEW, /expected an input named moments, got none/],
    ['normalize', { x, moments, gamma: x }, VIEW, /expected gamma to hold 3 values/],
    ['normalize', { x, moments, beta: floats }, VIEW, /expected beta to hold 3 values/],
    [
      'normalize',
      { x, moments },
      { ...VIEW, epsilon: -1 },
      /expected epsilon to be a number of at least 0, got -1/,
    ],
    ['backwardReduce', { ...gradient, dy: floats }, VIEW, /expected dy to hold 12 values/],
    ['backwardReduce', { ...gradient, moments: x }, VIEW, /expected moments to hold 6 values/],
    ['backwardInput', gradient, VIEW, /expected an input named pulls, got none/],
    ['backwardInput', { ...gradient, pulls: x }, VIEW, /expected pulls to hold 6 values/],
    ['backward', { ...gradient, dy: floats }, all, /expected dy to hold 12 values/],
    ['backward', gradient, { ...all, count: 0 }, /expected count to be a number above 0, got 0/],
    [
      'backward',
      gradient,
      { ...all, affine: 'all' },
      /expected affine to be none, channel or group, got "all"/,
    ],
    [
      'movingAverage',
      { moving: moments, batch: x },
      { offset: 7, rate: 1 },
      /batch to hold 6 values from 7 on/,
    ],
    ['normalizeOver', { x }, over, /expected an input named moments, got none/],
    ['normalizeOver', { x, moments, gamma: x }, over, /expected gamma to hold 3 values/],
    [
      'normalizeOver',
      { x, moments },
      { ...over, epsilon: -1 },
      /expected epsilon to be a number of at least 0/,
    ],
    ['normalizeOver', { x, moments }, { ...over, high: -1 }, /expected low <= high, got 0 and -1/],
    ['measureOver', { x: integers }, over, /expected x to be float32, got int32/],
    ['measureOver', { x }, { ...over, outer: 5 }, /expected x to hold 15 values/],
    ['measureOver', { x }, { ...over, low: Number.NaN }, /expected low <= high, got NaN and 6/],
    ['movingAverage', { moving: moments }, { offset: 0, rate: 1 }, /expected an input named batch, got none/],
    ['movingAverage', { moving: moments, batch: x }, { offset: 0 }, /expected rate to be a finite number/],
  ];
}

/**
 * Declares the tests for the backend that is current when they run.
 *
 * @param registered names of the kernels that it has.
 */
export function describeRefusals(registered: readonly string[]): void {
  const keys = (Object.keys(KERNELS) as KernelKey[]).filter((key) => registered.includes(KERNELS[key]));

  test.each(keys)('the kernel %s refuses tensors that do not fit, and leaves nothing behind', (key) => {
    const tensors = {
      x: tf.zeros([4, 3]),
      integers: tf.zeros([4, 3], 'int32'),
      moments: tf.zeros([2, 1, 3]),
      ids: tf.tensor1d([0, 0, 0], 'int32'),
      floats: tf.zeros([4]),
    };
    const before = tf.memory();
    const attempts = attemptsWith(tensors).filter(([of]) => of === key);
    expect(attempts.length).toBeGreaterThan(1);
    for (const [, inputs, attributes, message] of attempts) {
      const run = () => tf.engine().runKernel(KERNELS[key], inputs, attributes as tf.NamedAttrMap);
      expect(run).toThrow(KernelInputError);
      expect(run).toThrow(message);
    }
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    tf.dispose(Object.values(tensors));
  });
}
