import {
  expectClose,
  type Layout,
  referenceBatchNormGradients,
  referenceMoments,
  referenceNormalize,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import './index.ts';
import { KernelInputError } from './index.ts';

const random = seededRandom(7);

function run(
  kernel: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, number>,
): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes) as tf.Tensor;
}

/** Every shape of loop: repeated rows, blocks of 32 rows and their rests, lanes beyond 16, short and long runs. */
const layouts: fc.Arbitrary<Layout> = fc
  .record({
    rows: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 30, max: 300 })),
    channels: fc.oneof(fc.constantFrom(1, 2, 3, 4, 6, 8, 16, 17, 20, 33), fc.integer({ min: 1, max: 70 })),
    inner: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 40 }), fc.constantFrom(64, 515, 1100)),
    groups: fc.integer({ min: 1, max: 3 }),
  })
  .filter(({ rows, channels, inner, groups }) => rows * channels * inner * groups < 200_000)
  .map(({ rows, channels, inner, groups }) => ({ outer: rows * groups, channels, inner, groups }));

/** Calls `visit` for every value with its place in [groups, channels], and its channel. */
function forEachValue(
  { outer, channels, inner, groups }: Layout,
  visit: (i: number, slot: number, c: number) => void,
) {
  for (let i = 0; i < outer * channels * inner; i++) {
    const channel = Math.floor(i / inner) % channels;
    const group = Math.floor(Math.floor(i / (inner * channels)) / (outer / groups));
    visit(i, group * channels + channel, channel);
  }
}

const sizeOf = ({ outer, channels, inner }: Layout) => outer * channels * inner;

describe('batch-norm kernels', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it('computes moments as a float64 loop does', () => {
    fc.assert(
      fc.property(layouts, fc.constantFrom(0, 3, -50), (layout, mean) => {
        const values = random.normals(sizeOf(layout), mean, 2);
        const { mean: means, variance } = referenceMoments(values, layout);
        const packed = tf.tidy(() => {
          const out = run('RebatchMoments', { x: tf.tensor1d(values) }, { ...layout });
          expect(out.shape).toEqual([2, layout.groups, layout.channels]);
          return out.dataSync();
        });
        for (let s = 0; s < means.length; s++) {
          // A mean near 0 is the difference of larger numbers: it is as exact as the spread of the values allows.
          const scale = Math.max(Math.abs(means[s]!), Math.sqrt(variance[s]!));
          expect(Math.abs(packed[s]! - means[s]!) / scale).toBeLessThan(1e-6);
          const error = Math.abs(packed[means.length + s]! - variance[s]!);
          expect(error).toBeLessThanOrEqual(1e-6 * variance[s]!);
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    { outer: 50_000, channels: 5, inner: 1, groups: 1 },
    { outer: 4096, channels: 64, inner: 1, groups: 2 },
    { outer: 64, channels: 6, inner: 784, groups: 1 },
    { outer: 64, channels: 6, inner: 25, groups: 4 },
  ])('keeps the variance where the mean is 10,000 times the deviation: %o', (layout) => {
    const values = random.normals(sizeOf(layout), 1e4, 1);
    const { mean, variance } = referenceMoments(values, layout);
    const packed = tf.tidy(() => run('RebatchMoments', { x: tf.tensor1d(values) }, layout).dataSync());
    expectClose(packed.subarray(0, mean.length), mean, 1e-6, 'mean');
    expectClose(packed.subarray(mean.length), variance, 1e-6, 'variance');
  });

  it.each([1, 7, 100])(
    'stays exact where the first value is an outlier or the values drift (inner = %i)',
    (inner) => {
      const layout = { outer: 1000, channels: 3, inner, groups: 1 };
      const outlier = random.normals(sizeOf(layout), 5, 0.01).fill(1e4, 0, 3 * inner);
      const drifting = random.normals(sizeOf(layout), 0, 0.01).map((value, i) => value + i / 3 / inner);
      for (const values of [outlier, drifting]) {
        const { mean, variance } = referenceMoments(values, layout);
        const packed = tf.tidy(() => run('RebatchMoments', { x: tf.tensor1d(values) }, layout).dataSync());
        for (let c = 0; c < 3; c++) {
          expect(Math.abs(packed[c]! - mean[c]!)).toBeLessThan(
            1e-6 * Math.max(mean[c]!, Math.sqrt(variance[c]!)),
          );
        }
        expectClose(packed.subarray(3), variance, 1e-6, 'variance');
      }
    },
  );

  it.each([1, 40])('gives a constant channel a variance of exactly 0 (inner = %i)', (inner) => {
    const layout = { outer: 100, channels: 3, inner, groups: 1 };
    const values = new Float32Array(sizeOf(layout)).fill(1234.567);
    const packed = tf.tidy(() => run('RebatchMoments', { x: tf.tensor1d(values) }, layout).dataSync());
    expect([...packed]).toEqual([...new Array(3).fill(Math.fround(1234.567)), 0, 0, 0]);
  });

  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
  ])('lets %s surface in its own channel alone, wherever it is', (_, bad) => {
    for (const inner of [1, 7, 40]) {
      const layout = { outer: 71, channels: 3, inner, groups: 1 };
      for (const row of [0, 35, 70]) {
        const values = random.normals(sizeOf(layout));
        values[(row * 3 + 1) * inner + inner - 1] = bad;
        const packed = tf.tidy(() => run('RebatchMoments', { x: tf.tensor1d(values) }, layout).dataSync());
        const finite = [...packed].map(Number.isFinite);
        expect(finite).toEqual([true, false, true, true, false, true]);
      }
    }
  });

  it('normalizes and its gradients match a float64 loop', () => {
    const options = fc.record({ epsilon: fc.constantFrom(1e-5, 1e-3, 0.5), affine: fc.boolean() });
    fc.assert(
      fc.property(layouts, options, (layout, { epsilon, affine }) => {
        const slots = layout.groups * layout.channels;
        const values = random.normals(sizeOf(layout), 0.5, 2);
        const upstream = random.normals(sizeOf(layout), 0.1);
        const gamma = affine ? random.normals(layout.channels, 1) : undefined;
        const beta = affine ? random.normals(layout.channels) : undefined;
        const exact = referenceMoments(values, layout);
        // The kernels see float32 moments and sums; so does the reference, to compare arithmetic alone.
        const moments = Float32Array.from([...exact.mean, ...exact.variance]);
        const rounded = { mean: moments.subarray(0, slots), variance: moments.subarray(slots) };
        const y = referenceNormalize(values, layout, rounded, { gamma, beta, epsilon });
        const gradients = referenceBatchNormGradients(values, upstream, layout, { gamma, epsilon });
        const sumDyXhat = new Float64Array(slots);
        forEachValue(layout, (i, slot) => {
          const deviation = Math.sqrt(rounded.variance[slot]! + epsilon);
          sumDyXhat[slot]! += (upstream[i]! * (values[i]! - rounded.mean[slot]!)) / deviation;
        });
        tf.tidy(() => {
          const attributes = { ...layout, epsilon };
          const x = tf.tensor1d(values);
          const dy = tf.tensor1d(upstream);
          const packed = tf.tensor1d(moments);
          const scale: Record<string, tf.Tensor> = gamma ? { gamma: tf.tensor1d(gamma) } : {};
          const offset: Record<string, tf.Tensor> = beta ? { beta: tf.tensor1d(beta) } : {};
          const normalized = run('RebatchNormalize', { x, moments: packed, ...scale, ...offset }, attributes);
          expectClose(normalized.dataSync(), y, 1e-5, 'y');
          const sums = run('RebatchBackwardReduce', { dy, x, moments: packed }, attributes);
          expect(sums.shape).toEqual([2, layout.groups, layout.channels]);
          // A sum may cancel to anything: its error is measured against the size of what was added.
          const bound = 1e-5 * Math.sqrt(exact.count);
          const [first, second] = [sums.dataSync().subarray(0, slots), sums.dataSync().subarray(slots)];
          for (let s = 0; s < slots; s++) {
            expect(Math.abs(first[s]! - gradients.sumDy[s]!)).toBeLessThan(bound);
            expect(Math.abs(second[s]! - sumDyXhat[s]!)).toBeLessThan(bound);
          }
          const pulls = tf.tensor1d(
            sums.dataSync().map((sum, at) => (sum * (gamma?.[at % layout.channels] ?? 1)) / exact.count),
          );
          const dx = run('RebatchBackwardInput', { dy, x, moments: packed, pulls, ...scale }, attributes);
          // Over few values the terms of dx all but cancel, so each is compared in the size of its terms.
          const [moment, pull, out] = [packed.dataSync(), pulls.dataSync(), dx.dataSync()];
          let worst = 0;
          forEachValue(layout, (i, slot, c) => {
            const deviation = Math.sqrt(moment[slots + slot]! + epsilon);
            const xhat = (values[i]! - moment[slot]!) / deviation;
            const terms = [upstream[i]! * (gamma?.[c] ?? 1), -pull[slot]!, -xhat * pull[slots + slot]!];
            const expected = (terms[0]! + terms[1]! + terms[2]!) / deviation;
            const size = terms.reduce((total, term) => total + Math.abs(term), 0) / deviation;
            worst = Math.max(worst, Math.abs(out[i]! - expected) / size);
          });
          expect(worst).toBeLessThanOrEqual(1e-6);
          if (exact.count >= 16) expectClose(out, gradients.dx, 1e-5, 'dx');
        });
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the shape of x', () => {
    tf.tidy(() => {
      const x = tf.randomNormal([2, 3, 4, 5]);
      const attributes = { outer: 24, channels: 5, inner: 1, groups: 1, epsilon: 1e-3 };
      const moments = run('RebatchMoments', { x }, attributes);
      const pulls = run('RebatchBackwardReduce', { dy: x, x, moments }, attributes);
      expect(run('RebatchNormalize', { x, moments }, attributes).shape).toEqual(x.shape);
      expect(run('RebatchBackwardInput', { dy: x, x, moments, pulls }, attributes).shape).toEqual(x.shape);
    });
  });

  it('refuses tensors that do not fit, and leaves nothing behind', () => {
    const x = tf.zeros([4, 3]);
    const integers = tf.zeros([4, 3], 'int32');
    const moments = tf.zeros([2, 1, 3]);
    const [ids, floats] = [tf.tensor1d([0, 0, 0], 'int32'), tf.zeros([4])];
    const view = { outer: 4, channels: 3, inner: 1, groups: 1, epsilon: 1e-3 };
    const before = tf.memory().numTensors;
    const attempts: [string, Record<string, tf.Tensor>, Record<string, number>, RegExp][] = [
      [
        'RebatchMoments',
        { x },
        { ...view, outer: 5 },
        /expected x to hold 15 values, got shape \[4, 3\] \(12\)/,
      ],
      ['RebatchMoments', { x }, { ...view, groups: 3 }, /expected groups to divide outer \(4\), got 3/],
      [
        'RebatchMoments',
        { x },
        { ...view, inner: 0 },
        /expected inner to be a whole number of at least 1, got 0/,
      ],
      ['RebatchMoments', { x: integers }, view, /expected x to be float32, got int32/],
      ['RebatchNormalize', { x }, view, /expected an input named moments, got none/],
      ['RebatchNormalize', { x, moments, gamma: x }, view, /expected gamma to hold 3 values/],
      ['RebatchBackwardInput', { dy: x, x, moments, pulls: x }, view, /expected pulls to hold 6 values/],
      ['RebatchMoments', { x, ids }, view, /the number of ids to divide outer \(4\), got 3/],
      ['RebatchMoments', { x, ids: floats }, view, /expected ids to be int32, got float32/],
    ];
    for (const [kernel, inputs, attributes, message] of attempts) {
      expect(() => run(kernel, inputs, attributes)).toThrow(KernelInputError);
      expect(() => run(kernel, inputs, attributes)).toThrow(message);
    }
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, integers, moments, ids, floats]);
  });
});
