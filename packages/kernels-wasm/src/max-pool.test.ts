import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import './index.ts';
import { KernelInputError } from './index.ts';

const random = seededRandom(13);
type Shape4D = [number, number, number, number];

interface Pool {
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid' | number;
}

const dimension = (max: number) => fc.integer({ min: 1, max });
const cases = fc.record({
  shape: fc.tuple(dimension(3), dimension(11), dimension(11), fc.constantFrom(1, 3, 4, 8, 17)),
  filterSize: fc.tuple(dimension(4), dimension(4)),
  strides: fc.tuple(dimension(3), dimension(3)),
  pad: fc.constantFrom('same' as const, 'valid' as const, 0, 1),
});

async function gradient(backend: string, x: Float32Array, dy: Float32Array, shape: Shape4D, pool: Pool) {
  await tf.setBackend(backend);
  const { filterSize, strides, pad } = pool;
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, 'floor');
  return tf.tidy(() => {
    const input = tf.tensor(x, shape);
    const inputs = { dy: tf.tensor(dy, info.outShape), input, output: tf.zeros(info.outShape) };
    const attributes = { filterSize, strides, pad, dimRoundingMode: 'floor' };
    return (tf.engine().runKernel('MaxPoolGrad', inputs, attributes as never) as tf.Tensor).dataSync();
  });
}

describe('the gradient of max pooling', () => {
  it('is that of the cpu backend, ties and NaN included', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, ...pool }) => {
        const { filterSize, strides, pad } = pool;
        // The cpu backend lets a window that lies wholly in the padding reach outside of the image.
        fc.pre(typeof pad === 'string' || pad < Math.min(...filterSize));
        const { outShape } = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, 'floor');
        fc.pre(outShape.every((size) => size > 0));
        const size = shape.reduce((a, b) => a * b, 1);
        const x = Float32Array.from({ length: size }, () => random.integer(-3, 3));
        x[random.integer(0, size - 1)] = Number.NaN;
        const dy = random.normals(outShape.reduce((a, b) => a * b, 1));
        const actual = await gradient('wasm', x, dy, shape, pool);
        expectClose(actual, await gradient('cpu', x, dy, shape, pool), 1e-6);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses tensors that do not fit', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const input = tf.zeros([1, 4, 4, 2]);
      const attributes = { filterSize: 2, strides: 2, pad: 'valid' };
      const run = (inputs: tf.NamedTensorMap) => () =>
        tf.engine().runKernel('MaxPoolGrad', inputs, attributes as never);
      expect(run({ dy: input, input })).toThrow(/expected dy to hold 8 values/);
      expect(run({ dy: input, input: tf.zeros([4, 2]) })).toThrow(KernelInputError);
    });
  });
});
