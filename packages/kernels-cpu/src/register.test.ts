import { KERNELS } from '@rebatch/core/kernels';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { UnsupportedBackendError } from './index.ts';
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
    const before = [kernels(), tf.getKernel('Conv2D', 'cpu'), tf.getKernel(KERNELS.moments, 'cpu')];
    expect(before[2]).toBeDefined();
    registerCpuKernels();
    expect([kernels(), tf.getKernel('Conv2D', 'cpu'), tf.getKernel(KERNELS.moments, 'cpu')]).toEqual(before);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('a backend that is not the one these kernels are for', () => {
  // Our kernels call readSync of a backend, upstream's read its `data`.
  const other = () =>
    new Proxy(tf.backend(), {
      get: (target, key) => (key === 'readSync' ? undefined : Reflect.get(target, key)),
    });

  it('gets an error from kernels that upstream does not have', () => {
    const x = tf.zeros([4, 3]);
    const { kernelFunc } = tf.getKernel(KERNELS.moments, 'cpu');
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
      const packed = runKernel(KERNELS.moments, { x }, { ...view, outer: 2, channels: 2 });
      expect([...packed.dataSync()]).toEqual([2, 4, 1, 4]);
    });
  });
});
