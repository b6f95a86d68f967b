import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { KernelInputError, UnsupportedBackendError } from './index.ts';
import { registerCpuKernels } from './register.ts';
import { runKernel, upstreamValues } from './upstream.test.support.ts';

const view = { outer: 4, channels: 3, inner: 1, groups: 1, epsilon: 1e-3 };

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('registration', () => {
  it('takes the place of upstream without a warning, once', () => {
    const warn = vi.spyOn(console, 'warn');
    const kernels = () => tf.getKernelsForBackend('cpu').length;
    const before = [kernels(), tf.getKernel('Conv2D', 'cpu'), tf.getKernel('RebatchMoments', 'cpu')];
    expect(before[2]).toBeDefined();
    registerCpuKernels();
    expect([kernels(), tf.getKernel('Conv2D', 'cpu'), tf.getKernel('RebatchMoments', 'cpu')]).toEqual(before);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('a backend that is not the one these kernels are for', () => {
  // As a backend of another make would be, for our kernels; upstream's read its `data`.
  const other = () =>
    new Proxy(tf.backend(), {
      get: (target, key) => (key === 'readSync' ? undefined : Reflect.get(target, key)),
    });

  it('gets an error from kernels that upstream does not have', () => {
    const x = tf.zeros([4, 3]);
    const { kernelFunc } = tf.getKernel('RebatchMoments', 'cpu');
    const call = () => kernelFunc({ inputs: { x }, attrs: view, backend: other() });
    expect(call).toThrow(UnsupportedBackendError);
    expect(call).toThrow(/expected a cpu backend with readSync.*tfjs-backend-cpu 4\.22/);
    x.dispose();
  });

  it("keeps upstream's kernels where there are some", () => {
    tf.tidy(() => {
      const x = tf.tensor(seededRandom(1).normals(16), [1, 4, 4, 1]);
      const attributes = { filterSize: 2, strides: 2, pad: 'valid' };
      const { kernelFunc } = tf.getKernel('MaxPool', 'cpu');
      const { dataId } = kernelFunc({
        inputs: { x },
        attrs: attributes as never,
        backend: other(),
      }) as tf.TensorInfo;
      const backend = tf.backend() as unknown as { readSync(id: object): Float32Array };
      expect([...backend.readSync(dataId)]).toEqual([...upstreamValues('MaxPool', { x }, attributes)]);
      tf.backend().disposeData(dataId);
    });
  });
});

describe('the inputs of batch-norm kernels', () => {
  it('may be plain arrays, as tensors of literals are', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([
        [1, 2],
        [3, 6],
      ]);
      const packed = runKernel('RebatchMoments', { x }, { ...view, outer: 2, channels: 2 });
      expect([...packed.dataSync()]).toEqual([2, 4, 1, 4]);
    });
  });

  it('are refused where they do not fit, and nothing is left behind', () => {
    const x = tf.zeros([4, 3]);
    const integers = tf.zeros([4, 3], 'int32');
    const moments = tf.zeros([2, 1, 3]);
    const [ids, floats] = [tf.tensor1d([0, 0, 0], 'int32'), tf.zeros([4])];
    const before = tf.memory().numTensors;
    const attempts: [string, Record<string, tf.Tensor>, Record<string, number>, RegExp][] = [
      ['Moments', { x }, { ...view, outer: 5 }, /expected x to hold 15 values, got shape \[4, 3\] \(12\)/],
      ['Moments', { x }, { ...view, groups: 3 }, /expected groups to divide outer \(4\), got 3/],
      ['Moments', { x }, { ...view, inner: 0 }, /expected inner to be a whole number of at least 1, got 0/],
      ['Moments', { x: integers }, view, /expected x to be float32, got int32/],
      ['Normalize', { x }, view, /expected an input named moments, got none/],
      ['Normalize', { x, moments, gamma: x }, view, /expected gamma to hold 3 values/],
      ['BackwardInput', { dy: x, x, moments, pulls: x }, view, /expected pulls to hold 6 values/],
      ['Moments', { x, ids }, view, /the number of ids to divide outer \(4\), got 3/],
      ['Moments', { x, ids: floats }, view, /expected ids to be int32, got float32/],
    ];
    for (const [kernel, inputs, attributes, message] of attempts) {
      const run = () => runKernel(`Rebatch${kernel}`, inputs, attributes);
      expect(run).toThrow(KernelInputError);
      expect(run).toThrow(message);
    }
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, integers, moments, ids, floats]);
  });
});
