import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import './index.ts';
import { KernelInputError } from './index.ts';

const random = seededRandom(17);
const sizes = (min: number, max: number) =>
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: min, maxLength: max });

/** Batch dimensions, those up to the axis, the axis, and those after it; and the indices' own shape. */
const cases = fc.record({
  batch: sizes(0, 2),
  outer: sizes(0, 2),
  size: fc.integer({ min: 1, max: 7 }),
  slice: sizes(0, 2),
  indices: sizes(0, 2),
});

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

describe('tf.gather on the WASM backend', () => {
  beforeEach(async () => {
    await tf.setBackend('wasm');
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(0);
  });

  it('copies the slices at the indices, whatever the shapes', () => {
    fc.assert(
      fc.property(cases, ({ batch, outer, size, slice, indices: own }) => {
        const [batches, outers, length, count] = [batch, outer, slice, own].map(product);
        const x = random.normals(batches! * outers! * size * length!);
        const indices = Int32Array.from({ length: batches! * count! }, () => random.integer(0, size - 1));
        const expected: number[] = [];
        for (let b = 0; b < batches!; b++) {
          for (let o = 0; o < outers!; o++) {
            for (let i = 0; i < count!; i++) {
              for (let s = 0; s < length!; s++) {
                const index = indices[b * count! + i]!;
                expected.push(x[((b * outers! + o) * size + index) * length! + s]!);
              }
            }
          }
        }
        tf.tidy(() => {
          const axis = batch.length + outer.length;
          const gathered = tf.gather(
            tf.tensor(x, [...batch, ...outer, size, ...slice]),
            tf.tensor(indices, [...batch, ...own], 'int32'),
            axis,
            batch.length,
          );
          expect(gathered.shape).toEqual([...batch, ...outer, ...own, ...slice]);
          expect([...gathered.dataSync()]).toEqual(expected);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('counts a negative axis from the end', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      expect([...tf.gather(x, [2, 0], -1).dataSync()]).toEqual([3, 1, 6, 4]);
    });
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
