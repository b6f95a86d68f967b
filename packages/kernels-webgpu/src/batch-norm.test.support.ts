// What the conformance suite does not ask of the kernels: hard values on every way to walk a tensor, and the kernel of
// all gradients.
import { type AffineKind, runKernel } from '@rebatch/core/kernels';
import { expectClose, referenceSlotMoments } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  attributesOf,
  type Layout,
  layouts,
  load,
  random,
  sizeOf,
  slotsOf,
  useWebGPU,
  values,
} from './run.test.support.ts';

const KINDS: readonly AffineKind[] = ['none', 'channel', 'group'];
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

/** Leaves memory of so many values, all of them NaN, for the next tensors of that size. */
async function spoil(size: number): Promise<void> {
  const spoilt = Array.from({ length: 4 }, () => tf.sqrt(tf.fill([size], -1)));
  await Promise.all(spoilt.map((tensor) => tensor.data()));
  tf.dispose(spoilt);
}

/** Declares the tests; in one file with core's suite, so that each program is compiled once. */
export function describeBatchNormKernels(): void {
  beforeAll(useWebGPU);

  describe('moments', () => {
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
        const [packed] = await values('moments', inputs, attributesOf(layout));
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
          const [packed] = await values('moments', inputs, attributesOf(layout));
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
        const [packed] = await values('moments', inputs, attributesOf(layout));
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
          const [packed] = await values('moments', inputs, attributesOf(layout));
          tf.dispose(inputs);
          expect(Array.from(packed!, Number.isFinite)).toEqual([true, false, true, true, false, true]);
        }
      }
    });
  });

  it('takes many groups of scattered blocks: empty ones, large ones, and blocks of none', async () => {
    const groups = 70;
    const strays = [-1, groups, 2 ** 31 - 1];
    // The first group has a third of the blocks, the 20th to 29th have none.
    const ids = Array.from({ length: 900 }, (_, i) => {
      if (i % 3 === 0) return i % 50 === 0 ? strays[i % 9 === 0 ? 0 : (i % 2) + 1]! : 0;
      const id = random.integer(1, groups - 1);
      return id >= 20 && id < 30 ? id + 10 : id;
    });
    for (const shape of [
      { rows: 2, channels: 8, inner: 1 },
      { rows: 1, channels: 3, inner: 40 },
    ]) {
      const layout = { ...shape, groups, ids };
      const x = random.normals(sizeOf(layout), 1e4, 1);
      const own = load(layout, x);
      // Outputs get memory that was let go of: what is not written there would be NaN.
      const size = 2 * groups * shape.channels;
      await spoil(size);
      const [packed] = await values('moments', own, attributesOf(layout));
      expectMoments(packed!, x, layout);
      const moments = tf.tensor3d(packed!, [2, groups, shape.channels]);
      const dyValues = random.normals(sizeOf(layout));
      const inputs = { ...own, dy: tf.tensor1d(dyValues), moments };
      await spoil(size);
      const [sums] = await values('backwardReduce', inputs, { ...attributesOf(layout), epsilon: 0.5 });
      const slots = groups * shape.channels;
      const expected = new Float64Array(2 * slots);
      slotsOf(layout).forEach((slot, i) => {
        if (slot < 0) return;
        const xhat = (x[i]! - packed![slot]!) / Math.sqrt(packed![slots + slot]! + 0.5);
        expected[slot]! += dyValues[i]!;
        expected[slots + slot]! += dyValues[i]! * xhat;
      });
      expectSame(sums!, expected, 'sums');
      tf.dispose([inputs]);
    }
  });

  it('backward gives what its two parts give, for gamma and beta of every shape', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, fc.constantFrom(...KINDS), fc.boolean(), async (layout, affine, scaled) => {
        const { groups, channels } = layout;
        const slots = groups * channels;
        const count = 1 + random.integer(1, 50);
        const attributes = { ...attributesOf(layout), epsilon: 0.5 };
        const own = load(layout, random.normals(sizeOf(layout), 3, 2));
        const moments = runKernel('moments', own, attributes);
        const gammas = random.normals(affine === 'group' ? slots : channels, 1);
        const gamma = scaled && affine !== 'none' ? tf.tensor1d(gammas) : undefined;
        const inputs = { ...own, moments, dy: tf.tensor1d(random.normals(sizeOf(layout))) };
        const [sums] = await values('backwardReduce', inputs, attributes);
        const weights = Array.from({ length: slots }, (_, s) =>
          gamma ? gammas[affine === 'group' ? s : s % channels]! : 1,
        );
        const pulls = tf.tensor1d(sums!.map((sum, at) => (sum * weights[at % slots]!) / count));
        const [expected] = await values('backwardInput', { ...inputs, gamma, pulls }, attributes);

        const made = await values('backward', { ...inputs, gamma }, { ...attributes, count, affine });
        expect(made.length).toBe(affine === 'none' ? 1 : 3);
        expectSame(made[0]!, expected!, 'dx');
        for (const [at, gradient] of made.slice(1).entries()) {
          // dgamma, then dbeta; the sums come the other way round.
          const each = sums!.subarray(at === 0 ? slots : 0, at === 0 ? 2 * slots : slots);
          const all = Array.from({ length: channels }, (_, c) =>
            each.reduce((total, sum, s) => total + (s % channels === c ? sum : 0), 0),
          );
          const bound = 1e-5 * Math.sqrt(sizeOf(layout) / channels);
          const sought = affine === 'group' ? Array.from(each) : all;
          const errors = sought.map((sum, s) => excess(gradient[s]!, sum, bound));
          expect(gradient.length).toBe(sought.length);
          expect(Math.max(...errors), 'errors of the sums').toBeLessThanOrEqual(1);
        }
        tf.dispose([inputs, gamma ?? [], pulls]);
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
        const moments = runKernel('moments', { x }, attributes);
        expect(moments.shape).toEqual([2, 1, 5]);
        const pulls = runKernel('backwardReduce', { dy: x, x, moments }, attributes);
        expect(pulls.shape).toEqual([2, 1, 5]);
        expect(runKernel('normalize', { x, moments }, attributes).shape).toEqual(shape);
        const inputs = { dy: x, x, moments };
        expect(runKernel('backwardInput', { ...inputs, pulls }, attributes).shape).toEqual(shape);
        const all = runKernel('backward', inputs, { ...attributes, affine: 'channel', count: 2 });
        expect(all.map((tensor) => tensor.shape)).toEqual([shape, [5], [5]]);
      }
    });
  });
}
