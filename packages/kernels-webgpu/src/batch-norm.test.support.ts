// What core's suite does not ask of the kernels: hard values on every way to walk a tensor, the kernel of all gradients,
// and inputs that do not fit.
import { expectClose, referenceSlotMoments } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KernelInputError } from './index.ts';
import {
  attributesOf,
  call,
  type Layout,
  layouts,
  load,
  random,
  sizeOf,
  slotsOf,
  useWebGPU,
  values,
} from './run.test.support.ts';

const SCATTERED = Array.from({ length: 300 }, (_, i) => (i * i) % 3);

/** Close where a value is expected, NaN where NaN is. */
function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const known = (all: ArrayLike<number>) => Array.from(all).filter((_, i) => !Number.isNaN(expected[i]!));
  expect(actual.length).toBe(expected.length);
  expectClose(known(actual), known(expected), 1e-5, what);
  const strays = Array.from(actual).filter((value, i) => Number.isNaN(value) !== Number.isNaN(expected[i]!));
  expect(strays.length, `${what}: NaN where there is no group, nowhere else`).toBe(0);
}

/** A mean near 0 is the difference of larger numbers: it is as exact as the spread of the values allows. */
function expectMoments(packed: Float32Array, x: Float32Array, layout: Layout, what = ''): void {
  const slots = layout.groups * layout.channels;
  const { mean, variance } = referenceSlotMoments(x, slotsOf(layout), slots);
  let [ofMeans, ofVariances] = [0, 0];
  for (let s = 0; s < slots; s++) {
    const scale = Math.max(Math.abs(mean[s]!), Math.sqrt(variance[s]!));
    ofMeans = Math.max(ofMeans, excess(packed[s]!, mean[s]!, 1e-6 * scale));
    ofVariances = Math.max(ofVariances, excess(packed[slots + s]!, variance[s]!, 1e-6 * variance[s]!));
  }
  expect(ofMeans, `errors of the means ${what}`).toBeLessThanOrEqual(1);
  expect(ofVariances, `errors of the variances ${what}`).toBeLessThanOrEqual(1);
}

/** An error as a multiple of what it may be; Infinity if it is none. */
function excess(actual: number, expected: number, bound: number): number {
  if (actual === expected) return 0;
  const times = Math.abs(actual - expected) / bound;
  return Number.isNaN(times) ? Number.POSITIVE_INFINITY : times;
}

/** Declares the tests; in one file with core's suite, so that each program is compiled once. */
export function describeBatchNormKernels(): void {
  beforeAll(useWebGPU);

  describe('RebatchMoments', () => {
    it.each([
      { rows: 50_000, channels: 5, inner: 1, groups: 1 },
      { rows: 2048, channels: 64, inner: 1, groups: 2 },
      { rows: 64, channels: 6, inner: 784, groups: 1 },
      { rows: 16, channels: 6, inner: 25, groups: 4 },
      { rows: 1, channels: 3, inner: 20_001, groups: 2 },
      { rows: 49, channels: 8, inner: 1, groups: 3, ids: SCATTERED },
    ])(
      'keeps the variance where the mean is 10,000 times the deviation: $rows x $channels x $inner',
      async (layout) => {
        const x = random.normals(sizeOf(layout), 1e4, 1);
        const inputs = load(layout, x);
        const [packed] = await values('RebatchMoments', inputs, attributesOf(layout));
        tf.dispose(inputs);
        expectMoments(packed!, x, layout);
      },
    );

    it.each([1, 7, 100])(
      'stays exact where values drift, or begin with outliers (inner = %i)',
      async (inner) => {
        const layout = { rows: 1000, channels: 3, inner, groups: 1 };
        const outliers = random.normals(sizeOf(layout), 5, 0.01).fill(1e4, 0, 3 * inner);
        const drifting = random.normals(sizeOf(layout), 0, 0.01).map((value, i) => value + i / 3 / inner);
        for (const [what, x] of Object.entries({ outliers, drifting })) {
          const inputs = load(layout, x);
          const [packed] = await values('RebatchMoments', inputs, attributesOf(layout));
          tf.dispose(inputs);
          expectMoments(packed!, x, layout, what);
        }
      },
    );

    it.each([1, 3, 40])(
      'gives a constant channel its mean and a variance of exactly 0 (inner = %i)',
      async (inner) => {
        const layout = { rows: 1000, channels: 3, inner, groups: 1 };
        const inputs = load(layout, new Float32Array(sizeOf(layout)).fill(1234.567));
        const [packed] = await values('RebatchMoments', inputs, attributesOf(layout));
        tf.dispose(inputs);
        expect([...packed!]).toEqual([...new Array(3).fill(Math.fround(1234.567)), 0, 0, 0]);
      },
    );

    it.each([
      ['NaN', Number.NaN],
      ['Infinity', Number.POSITIVE_INFINITY],
      ['-Infinity', Number.NEGATIVE_INFINITY],
    ])('lets %s surface in its own channel alone, wherever it is', async (_, bad) => {
      for (const inner of [1, 7, 40]) {
        const layout = { rows: 72, channels: 3, inner, groups: 1 };
        for (const row of [0, 35, 71]) {
          const x = random.normals(sizeOf(layout));
          x[(row * 3 + 1) * inner + inner - 1] = bad;
          const inputs = load(layout, x);
          const [packed] = await values('RebatchMoments', inputs, attributesOf(layout));
          tf.dispose(inputs);
          expect(Array.from(packed!, Number.isFinite)).toEqual([true, false, true, true, false, true]);
        }
      }
    });
  });

  it('RebatchBackward gives what its two parts give, for gamma and beta of every shape', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, fc.constantFrom(0, 1, 2), fc.boolean(), async (layout, affine, scaled) => {
        const { groups, channels } = layout;
        const slots = groups * channels;
        const count = 1 + random.integer(1, 50);
        const attributes = { ...attributesOf(layout), epsilon: 0.5 };
        const own = load(layout, random.normals(sizeOf(layout), 3, 2));
        const [moments] = call('RebatchMoments', own, attributes);
        const gammas = random.normals(affine === 2 ? slots : channels, 1);
        const scale: Record<string, tf.Tensor> = scaled && affine > 0 ? { gamma: tf.tensor1d(gammas) } : {};
        const inputs = { ...own, moments: moments!, dy: tf.tensor1d(random.normals(sizeOf(layout))) };
        const [sums] = await values('RebatchBackwardReduce', inputs, attributes);
        const weights = Array.from({ length: slots }, (_, s) =>
          'gamma' in scale ? gammas[affine === 2 ? s : s % channels]! : 1,
        );
        const pulls = tf.tensor1d(sums!.map((sum, at) => (sum * weights[at % slots]!) / count));
        const [expected] = await values('RebatchBackwardInput', { ...inputs, ...scale, pulls }, attributes);

        const made = await values(
          'RebatchBackward',
          { ...inputs, ...scale },
          { ...attributes, count, affine },
        );
        expect(made.length).toBe(affine === 0 ? 1 : 3);
        expectSame(made[0]!, expected!, 'dx');
        for (const [at, gradient] of made.slice(1).entries()) {
          // dgamma, then dbeta; the sums come the other way round.
          const each = sums!.subarray(at === 0 ? slots : 0, at === 0 ? 2 * slots : slots);
          const all = Array.from({ length: channels }, (_, c) =>
            each.reduce((total, sum, s) => total + (s % channels === c ? sum : 0), 0),
          );
          const bound = 1e-5 * Math.sqrt(sizeOf(layout) / channels);
          const sought = affine === 2 ? Array.from(each) : all;
          const errors = sought.map((sum, s) => excess(gradient[s]!, sum, bound));
          expect(gradient.length).toBe(sought.length);
          expect(Math.max(...errors), 'errors of the sums').toBeLessThanOrEqual(1);
        }
        tf.dispose([inputs, scale, pulls]);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps the shape of x, of rank 7, too', () => {
    tf.tidy(() => {
      for (const shape of [
        [2, 3, 4, 5],
        [2, 1, 3, 1, 2, 2, 5],
      ]) {
        const x = tf.ones(shape);
        const attributes = { outer: x.size / 5, channels: 5, inner: 1, groups: 1, epsilon: 1e-3 };
        const [moments] = call('RebatchMoments', { x }, attributes) as [tf.Tensor];
        expect(moments.shape).toEqual([2, 1, 5]);
        const [pulls] = call('RebatchBackwardReduce', { dy: x, x, moments }, attributes) as [tf.Tensor];
        expect(pulls.shape).toEqual([2, 1, 5]);
        expect(call('RebatchNormalize', { x, moments }, attributes)[0]!.shape).toEqual(shape);
        const inputs = { dy: x, x, moments };
        expect(call('RebatchBackwardInput', { ...inputs, pulls }, attributes)[0]!.shape).toEqual(shape);
        const all = call('RebatchBackward', inputs, { ...attributes, affine: 1, count: 2 });
        expect(all.map((tensor) => tensor.shape)).toEqual([shape, [5], [5]]);
      }
    });
  });

  it('refuses tensors that do not fit, and leaves nothing behind', () => {
    const x = tf.zeros([4, 3]);
    const integers = tf.zeros([4, 3], 'int32');
    const moments = tf.zeros([2, 1, 3]);
    const [ids, floats] = [tf.tensor1d([0, 0, 0], 'int32'), tf.zeros([4])];
    const view = { outer: 4, channels: 3, inner: 1, groups: 1, epsilon: 1e-3 };
    const before = tf.memory();
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
      ['RebatchBackward', { dy: floats, x, moments }, view, /expected dy to hold 12 values/],
      ['RebatchMoments', { x, ids }, view, /the number of ids to divide outer \(4\), got 3/],
      ['RebatchMoments', { x, ids: floats }, view, /expected ids to be int32, got float32/],
      [
        'RebatchMovingAverage',
        { moving: moments, batch: x },
        { offset: 7 },
        /expected batch to hold 6 values from 7 on/,
      ],
      ['RebatchMovingAverage', { moving: moments }, {}, /expected an input named batch, got none/],
    ];
    for (const [kernel, inputs, attributes, message] of attempts) {
      expect(() => call(kernel, inputs, attributes)).toThrow(KernelInputError);
      expect(() => call(kernel, inputs, attributes)).toThrow(message);
    }
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    tf.dispose([x, integers, moments, ids, floats]);
  });
}
