import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KernelInputError } from './index.ts';
import { sizeOf, upstreamValues } from './upstream.test.support.ts';

const random = seededRandom(3);
const lengths = (max: number, top = 4) => fc.array(fc.integer({ min: 1, max: top }), { maxLength: max });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('tf.gather on the cpu backend', () => {
  it("is upstream's, along any axis, with and without batch dimensions", () => {
    const layouts = fc.record({
      batch: lengths(2),
      outer: lengths(2),
      size: fc.integer({ min: 1, max: 6 }),
      slice: lengths(2, 12),
      own: lengths(2),
    });
    fc.assert(
      fc.property(layouts, ({ batch, outer, size, slice, own }) => {
        tf.tidy(() => {
          const shape = [...batch, ...outer, size, ...slice];
          const x = tf.tensor(random.normals(sizeOf(shape)), shape);
          const places = [...batch, ...own];
          const chosen = Int32Array.from({ length: sizeOf(places) }, () => random.integer(0, size - 1));
          const indices = tf.tensor(chosen, places, 'int32');
          const axis = batch.length + outer.length;
          const gathered = tf.gather(x, indices, axis, batch.length);
          expect(gathered.shape).toEqual([...batch, ...outer, ...own, ...slice]);
          const attributes = { axis, batchDims: batch.length };
          expect([...gathered.dataSync()]).toEqual([
            ...upstreamValues('GatherV2', { x, indices }, attributes),
          ]);
        });
      }),
      { numRuns: 300 },
    );
  });

  it.each([3, -1])('refuses the index %d of 3 samples, and keeps no memory', (index) => {
    tf.tidy(() => {
      const x = tf.zeros([3, 2]);
      const indices = tf.tensor1d([0, index], 'int32');
      const before = tf.memory().numDataBuffers;
      expect(() => tf.gather(x, indices)).toThrow(KernelInputError);
      expect(() => tf.gather(x, indices)).toThrow(`expected indices from 0 to 2, got ${index} at place 1`);
      expect(tf.memory().numDataBuffers).toBe(before);
    });
  });

  it('leaves other types to upstream, and empty tensors', () => {
    tf.tidy(() => {
      const integers = tf.gather(tf.tensor1d([1, 2, 3], 'int32'), [2, 2]);
      expect([integers.dtype, ...integers.dataSync()]).toEqual(['int32', 3, 3]);
      const none = tf.gather(tf.zeros([3, 2]), tf.tensor1d([], 'int32'));
      expect(none.shape).toEqual([0, 2]);
    });
  });
});
