// What holds for any segments and tensors: laws between the ops, and segments that are small.
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  batchNormalize,
  jointBatchNormalize,
  NormalizationBatchError,
  normalize,
  type SegmentBatchOptions,
  segmentBatchNormalize,
  segmentNormalize,
} from './index.ts';
import { tidied } from './tidied.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const read = (tensor: tf.Tensor) => tensor.dataSync<'float32'>();
const int32 = (ids: ArrayLike<number>) => tf.tensor1d(Array.from(ids), 'int32');

/** Samples [n, 3, 2] with channels along axis 2, in at most 4 segments; none with a single value per channel. */
const batches = fc
  .record({
    seed: fc.integer(),
    ids: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }),
  })
  .map(({ seed, ids }) => {
    const random = seededRandom(seed);
    const size = ids.length * 6;
    return { ids, random, x: random.normals(size, 1, 2), dy: random.normals(size) };
  });

function permuted(values: Float32Array, order: readonly number[]): Float32Array {
  const width = values.length / order.length;
  return Float32Array.from(values, (_, i) => values[order[Math.floor(i / width)]! * width + (i % width)]!);
}

describe('laws', () => {
  test('the order of samples does not matter', () => {
    fc.assert(
      fc.property(batches, fc.boolean(), ({ ids, random, x, dy }, pooled) => {
        const order = ids.map((_, i) => ({ i, key: random.uniform() })).sort((a, b) => a.key - b.key);
        const by = order.map(({ i }) => i);
        const run = (x: Float32Array, dy: Float32Array, ids: readonly number[]) =>
          tidied(() => {
            const shape = [ids.length, 3, 2];
            const all = tf.tensor(x, shape);
            const segmentIds = int32(ids);
            const { y, mean, variance, counts } = segmentBatchNormalize(all, segmentIds, 4, { pooled });
            const dx = tf.grad((x: tf.Tensor) => segmentBatchNormalize(x, segmentIds, 4, { pooled }).y)(
              all,
              tf.tensor(dy, shape),
            );
            return { y: read(y), dx: read(dx), moments: [mean, variance, counts].map(read) };
          });
        const one = run(x, dy, ids);
        const other = run(
          permuted(x, by),
          permuted(dy, by),
          by.map((i) => ids[i]!),
        );
        expectClose(other.y, permuted(one.y, by), 1e-5, 'y');
        expectClose(other.dx, permuted(one.dx, by), 1e-5, 'dx');
        for (const [at, values] of one.moments.entries()) expectClose(other.moments[at]!, values, 1e-5);
      }),
      { numRuns: 40 },
    );
  });

  test('one segment is batchNormalize and normalize, whatever its number', () => {
    fc.assert(
      fc.property(
        batches,
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        ({ ids, random, x, dy }, id, pooled) => {
          tf.tidy(() => {
            const shape = [ids.length, 3, 2];
            const inputs = [
              tf.tensor(x, shape),
              tf.tensor1d(random.normals(2, 1)),
              tf.tensor1d(random.normals(2)),
            ];
            const segmentIds = int32(ids.map(() => id));
            const affineOf = ([, gamma, beta]: tf.Tensor[]) => ({ gamma, beta });
            const ours = (all: tf.Tensor[]) =>
              segmentBatchNormalize(all[0]!, segmentIds, 4, { ...affineOf(all), pooled });
            const theirs = (all: tf.Tensor[]) => batchNormalize(all[0]!, affineOf(all));
            expectClose(read(ours(inputs).y), read(theirs(inputs).y), 1e-5, 'y');
            expectClose(
              read(ours(inputs).mean).subarray(2 * id, 2 * id + 2),
              read(theirs(inputs).mean),
              1e-5,
            );
            const upstream = tf.tensor(dy, shape);
            const expected = tf.grads((...all: tf.Tensor[]) => theirs(all).y)(inputs, upstream);
            const actual = tf.grads((...all: tf.Tensor[]) => ours(all).y)(inputs, upstream);
            for (const [at, gradient] of expected.entries())
              expectClose(read(actual[at]!), read(gradient), 1e-5);

            const means = tf.tensor2d(random.normals(8), [4, 2]);
            const moments = { mean: means, variance: tf.ones([4, 2]) };
            const own = { mean: tf.reshape(tf.slice(means, [id, 0], [1, 2]), [2]), variance: tf.ones([2]) };
            const given = segmentNormalize(inputs[0]!, segmentIds, moments, affineOf(inputs));
            expectClose(
              read(given),
              read(normalize(inputs[0]!, own, affineOf(inputs))),
              1e-5,
              'by constants',
            );
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('a tensor cut along its samples is normalized jointly as it is as a whole', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 4 }), ({ ids, random, x, dy }, wanted) => {
        tf.tidy(() => {
          const samples = ids.length;
          const cuts = Array.from({ length: wanted }, () => random.integer(1, samples)).concat(samples);
          const ends = [...new Set(cuts)].sort((a, b) => a - b);
          const whole = tf.tensor(x, [samples, 3, 2]);
          const cut = (all: tf.Tensor) =>
            ends.map((end, i) => tf.slice(all, ends[i - 1] ?? 0, end - (ends[i - 1] ?? 0)));
          const joined = (x: tf.Tensor) => tf.concat(jointBatchNormalize(cut(x)).ys);
          const upstream = tf.tensor(dy, [samples, 3, 2]);
          expectClose(read(joined(whole)), read(batchNormalize(whole).y), 1e-5, 'y');
          const expected = tf.grad((x: tf.Tensor) => batchNormalize(x).y)(whole, upstream);
          expectClose(read(tf.grad(joined)(whole, upstream)), read(expected), 1e-5, 'dx');
        });
      }),
      { numRuns: 40 },
    );
  });

  test('a tensor that is given twice counts twice', () => {
    tf.tidy(() => {
      const x = tf.tensor2d(seededRandom(1).normals(12), [4, 3]);
      const dx = tf.grad((x: tf.Tensor) => tf.addN(jointBatchNormalize([x, x]).ys))(x);
      const expected = tf.grad((x: tf.Tensor) => tf.mul(batchNormalize(x).y, 2))(x);
      expectClose(read(dx), read(expected), 1e-5);
    });
  });

  test('gradients of gamma and beta alone', () => {
    tf.tidy(() => {
      const x = tf.tensor2d(seededRandom(2).normals(12), [4, 3]);
      const ids = int32([0, 1, 0, 1]);
      const gamma = tf.ones([3]);
      const ops = [
        (gamma: tf.Tensor) => segmentBatchNormalize(x, ids, 2, { gamma }).y,
        (gamma: tf.Tensor) => jointBatchNormalize([x, x], { gamma }).ys[1]!,
      ];
      for (const op of ops) {
        const xhat = op(gamma);
        expectClose(read(tf.grad(op)(gamma, xhat)), read(tf.sum(tf.square(xhat), 0)), 1e-5);
      }
    });
  });
});

describe('segments with a single row or none', () => {
  const x = seededRandom(3).normals(12, 5, 2);
  const ids = [0, 2, 0, 0];
  const fallback = () => ({ mean: tf.fill([4, 3], 4), variance: tf.fill([4, 3], 9) });

  test('the fallback normalizes a single row, and is what a segment without rows has for moments', () => {
    tf.tidy(() => {
      const options = { fallback: fallback(), epsilon: 0 };
      const out = segmentBatchNormalize(tf.tensor2d(x, [4, 3]), int32(ids), 4, options);
      expect([...read(out.counts)]).toEqual([3, 0, 1, 0]);
      expectClose(
        read(out.y).subarray(3, 6),
        Array.from(x.subarray(3, 6), (v) => (v - 4) / 3),
        1e-6,
      );
      expect([...read(out.mean).subarray(3)]).toEqual(new Array(9).fill(4));
      expect([...read(out.variance).subarray(3)]).toEqual(new Array(9).fill(9));
      expect(read(out.y).every(Number.isFinite)).toBe(true);
    });
  });

  test('without a fallback, no rows leave moments of 0, and a single one is an error', () => {
    tf.tidy(() => {
      const rows = tf.tensor2d(x, [4, 3]);
      const out = segmentBatchNormalize(rows, int32([0, 0, 2, 2]), 4);
      expect([...read(out.counts)]).toEqual([2, 0, 2, 0]);
      for (const moments of [out.mean, out.variance]) {
        expect([...read(moments).subarray(3, 6)]).toEqual([0, 0, 0]);
        expect([...read(moments).subarray(9)]).toEqual([0, 0, 0]);
      }
      const act = () => segmentBatchNormalize(rows, int32(ids), 4, { name: 'bn_3' });
      expect(act).toThrow(NormalizationBatchError);
      expect(act).toThrow(
        /layer 'bn_3'.*at least 2 values per channel in every segment.*1 in segment 2.*fallback/,
      );
    });
  });

  test('a single sample of several values per channel is no single value', () => {
    tf.tidy(() => {
      const out = segmentBatchNormalize(tf.tensor3d(x, [4, 3, 1]), int32([0, 1, 2, 3]), 4);
      expect([...read(out.counts)]).toEqual([3, 3, 3, 3]);
      expect(read(out.y).every(Number.isFinite)).toBe(true);
    });
  });

  test('pooled, a single row is like any other; its moments are its own, or the fallback', () => {
    tf.tidy(() => {
      const rows = tf.tensor2d(x, [4, 3]);
      const own = segmentBatchNormalize(rows, int32(ids), 4, { pooled: true });
      expectClose(read(own.y), read(batchNormalize(rows).y), 1e-5);
      expect([...read(own.mean).subarray(6, 9)]).toEqual([...x.subarray(3, 6)]);
      expect([...read(own.variance).subarray(6, 9)]).toEqual([0, 0, 0]);
      const given = segmentBatchNormalize(rows, int32(ids), 4, { pooled: true, fallback: fallback() });
      expectClose(read(given.y), read(own.y), 1e-6);
      expect([...read(given.mean).subarray(6, 9)]).toEqual([4, 4, 4]);
    });
  });

  test('an empty segment leaves no NaN in the gradients, even with an epsilon of 0', () => {
    tf.tidy(() => {
      const inputs = [tf.tensor2d(x, [4, 3]), tf.ones([3]), tf.zeros([3])];
      for (const pooled of [false, true]) {
        const gradients = tf.grads((...all: tf.Tensor[]) => {
          const [rows, gamma, beta] = all;
          const options: SegmentBatchOptions = { epsilon: 0, pooled, gamma, beta };
          return segmentBatchNormalize(rows!, int32([0, 0, 2, 2]), 4, options).y;
        });
        for (const gradient of gradients(inputs)) expect(read(gradient).every(Number.isFinite)).toBe(true);
      }
    });
  });
});
