// Convolutions padded by a number: TensorFlow.js takes every window for a square one as it works out how large the output is,
// and XNNPACK, which does not, wrote beyond it.
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { convolve } from './convolution.test.support.ts';
import { KernelInputError } from './index.ts';

type Pair = [number, number];

beforeAll(() => tf.setBackend('wasm'));

const small = (max: number, min = 1) => fc.integer({ min, max });
const cases = fc
  .record({
    size: fc.tuple(small(2), small(11, 6), small(11, 6)),
    channels: fc.tuple(small(3), small(5)),
    window: fc.tuple(small(5), small(5)),
    strides: fc.tuple(small(3), small(3)),
    pad: small(2, 0),
    rounding: fc.constantFrom('floor', 'round', 'ceil'),
  })
  .filter(({ window, pad }) => Math.min(...window) > pad);
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const infoOf = (x: tf.Tensor4D, filter: tf.Tensor4D, { strides, pad, rounding }: Case, depthwise: boolean) =>
  tf.backend_util.computeConv2DInfo(x.shape, filter.shape, strides as Pair, 1, pad, rounding, depthwise);

function tensors({ size, channels: [inputs, outputs], window }: Case) {
  const random = seededRandom(size[1] * 100 + window[1]);
  const shape = [...size, inputs] as [number, number, number, number];
  const filter = [...window, inputs, outputs] as [number, number, number, number];
  const make = (of: [number, number, number, number]) =>
    tf.tensor4d(random.normals(of.reduce((a, b) => a * b, 1)), of);
  return [make(shape), make(filter)] as const;
}

describe.each([false, true])('depthwise: %s', (depthwise) => {
  const op = (x: tf.Tensor4D, filter: tf.Tensor4D, { strides, pad, rounding }: Case) =>
    depthwise
      ? tf.depthwiseConv2d(x, filter, strides as Pair, pad, 'NHWC', 1, rounding)
      : tf.conv2d(x, filter, strides as Pair, pad, 'NHWC', 1, rounding);

  it('is what the windows see, whatever their shape, and writes nowhere else', () => {
    fc.assert(
      fc.property(cases, (call) => {
        const [x, filter] = tensors(call);
        const before = tf.memory().numTensors;
        const y = op(x, filter, call);
        // What lies around it.
        const others = Array.from({ length: 4 }, () => tf.ones([64]));
        const right = convolve(infoOf(x, filter, call, depthwise), x.dataSync(), filter.dataSync(), {
          depthwise,
        });
        expectClose(y.dataSync(), right, 1e-4);
        for (const other of others) expect(other.dataSync().every((value) => value === 1)).toBe(true);
        expect(tf.memory().numTensors - before).toBe(5);
        tf.dispose([x, filter, y, ...others]);
      }),
      { numRuns: 300 },
    );
  });
});

it('has gradients of the same', () => {
  const call: Case = {
    ...{ size: [1, 9, 11], channels: [3, 20], window: [5, 3], strides: [1, 1], pad: 0, rounding: 'floor' },
  };
  const [x, filter] = tensors(call);
  const dx = tf.tidy(() => tf.grad((of: tf.Tensor) => tf.conv2d(of as tf.Tensor4D, filter, 1, 0))(x));
  // Seen by no window: the last two columns, for the output is as narrow as for windows of 5 x 5.
  const values = dx.dataSync();
  const isSeen = (column: number) =>
    values.some((value, at) => Math.floor(at / 3) % 11 === column && value !== 0);
  expect(Array.from({ length: 11 }, (_, column) => isSeen(column))).toEqual([
    ...Array(9).fill(true),
    false,
    false,
  ]);
  tf.dispose([x, filter, dx]);
});

it('refuses windows that see nothing but padding', () => {
  const [x, filter] = [tf.ones<tf.Rank.R4>([1, 9, 2, 1]), tf.ones<tf.Rank.R4>([5, 1, 1, 1])];
  expect(() => tf.conv2d(x, filter, 1, 2)).toThrow(KernelInputError);
  tf.dispose([x, filter]);
});
