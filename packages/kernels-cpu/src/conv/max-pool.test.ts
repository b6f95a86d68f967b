import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KernelInputError } from '../index.ts';
import { runKernel, sizeOf, upstreamValues } from '../upstream.test.support.ts';

const random = seededRandom(13);
type Shape4D = [number, number, number, number];

const dimension = (max: number) => fc.integer({ min: 1, max });
const cases = fc.record({
  shape: fc.tuple(dimension(3), dimension(11), dimension(11), fc.constantFrom(1, 3, 4, 8, 17)),
  filterSize: fc.tuple(dimension(4), dimension(4)),
  strides: fc.tuple(dimension(3), dimension(3)),
  pad: fc.constantFrom('same' as const, 'valid' as const, 0, 1),
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('max pooling', () => {
  it("is upstream's, and so is its gradient, ties and NaN included", () => {
    fc.assert(
      fc.property(cases, ({ shape, filterSize, strides, pad }) => {
        // Upstream lets a window that lies wholly in the padding reach outside of the image.
        fc.pre(typeof pad === 'string' || pad < Math.min(...filterSize));
        const { outShape } = tf.backend_util.computePool2DInfo(
          shape as Shape4D,
          filterSize,
          strides,
          1,
          pad,
          'floor',
        );
        fc.pre(outShape.every((size) => size > 0));
        tf.tidy(() => {
          const values = Float32Array.from({ length: sizeOf(shape) }, () => random.integer(-3, 3));
          values[random.integer(0, values.length - 1)] = Number.NaN;
          const input = tf.tensor(values, shape as Shape4D);
          const dy = tf.tensor(random.normals(sizeOf(outShape)), outShape);
          const attributes = { filterSize, strides, pad, dimRoundingMode: 'floor' };
          const y = runKernel('MaxPool', { x: input }, attributes);
          expect(y.shape).toEqual(outShape);
          expect([...y.dataSync()]).toEqual([...upstreamValues('MaxPool', { x: input }, attributes)]);
          const inputs = { dy, input, output: y };
          const dx = runKernel('MaxPoolGrad', inputs, attributes);
          expect(dx.shape).toEqual(shape);
          const expected = upstreamValues('MaxPoolGrad', inputs, attributes);
          // Where windows overlap, the order of a sum may differ.
          expectClose(dx.dataSync(), expected, 1e-6, 'gradient');
        });
      }),
      { numRuns: 200 },
    );
  });

  it('leaves integers to upstream', () => {
    tf.tidy(() => {
      const x = tf.tensor4d([1, 5, 3, 2], [1, 2, 2, 1], 'int32');
      const y = tf.maxPool(x, 2, 1, 'valid');
      expect([y.dtype, ...y.dataSync()]).toEqual(['int32', 5]);
    });
  });

  it('refuses tensors that do not fit', () => {
    tf.tidy(() => {
      const input = tf.zeros([1, 4, 4, 2]);
      const attributes = { filterSize: 2, strides: 2, pad: 'valid' };
      const run = (inputs: Record<string, tf.Tensor>) => () => runKernel('MaxPoolGrad', inputs, attributes);
      expect(run({ dy: input, input })).toThrow(/expected dy to hold 8 values/);
      expect(run({ dy: input, input: tf.zeros([4, 2]) })).toThrow(KernelInputError);
    });
  });
});
