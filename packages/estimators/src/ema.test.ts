import { type Moments, MomentsError } from '@rebatch/stats';
import { describe, expect, test } from 'vitest';
import { estimatorContract } from './contract.ts';
import { type EmaOptions, ema } from './ema.ts';
import { EstimatorOptionError } from './errors.ts';

const variants: EmaOptions[] = [
  {},
  { decay: 0 },
  { decay: 0.9, debias: true },
  { decay: 0.999999, debias: true, variance: 'unbiased' },
];
for (const options of variants) {
  const checks = estimatorContract({ name: `ema ${JSON.stringify(options)}`, create: () => ema(options) });
  for (const { name, check } of checks) test(name, check);
}

const batches: Moments[] = [
  { count: 4, mean: Float64Array.of(3, -1), variance: Float64Array.of(2, 0) },
  { count: 2, mean: Float64Array.of(5, 7), variance: Float64Array.of(1, 4) },
  { count: 8, mean: Float64Array.of(-2, 0.5), variance: Float64Array.of(9, 0.25) },
];

/** The recurrence as the frameworks write it, and Adam's correction of a zero start. */
function recurrence(pick: (batch: Moments) => number, decay: number, start: number, debias: boolean): number {
  let average = debias ? 0 : start;
  for (const batch of batches) average = decay * average + (1 - decay) * pick(batch);
  return debias ? average / (1 - decay ** batches.length) : average;
}

describe.each([0, 0.5, 0.99])('with decay %d', (decay) => {
  test.each([false, true])('follows the recurrence, debias %s', (debias) => {
    for (const variance of ['biased', 'unbiased'] as const) {
      const estimator = ema({ decay, debias, variance });
      for (const batch of batches) estimator.update(batch);
      const estimate = estimator.estimate();
      expect(estimate.count).toBe(14);
      for (const c of [0, 1]) {
        const bessel = (n: number) => (variance === 'unbiased' ? n / (n - 1) : 1);
        expect(estimate.mean[c]).toBeCloseTo(
          recurrence((b) => b.mean[c]!, decay, 0, debias),
          12,
        );
        expect(estimate.variance[c]).toBeCloseTo(
          recurrence((b) => b.variance[c]! * bessel(b.count), decay, 1, debias),
          12,
        );
      }
    }
  });
});

test('debiased, a constant stream is estimated exactly from the first batch on', () => {
  const estimator = ema({ decay: 0.999999, debias: true });
  for (let i = 0; i < 5; i++) {
    estimator.update(batches[0]!);
    expect(estimator.estimate().mean).toEqual(batches[0]!.mean);
    expect(estimator.estimate().variance).toEqual(batches[0]!.variance);
  }
});

test('refuses options out of range', () => {
  for (const decay of [1, -0.1, Number.NaN, '0.9', [0.9], null, true] as number[]) {
    expect(() => ema({ decay })).toThrow(EstimatorOptionError);
  }
  expect(() => ema({ debias: 1 as unknown as boolean })).toThrow(/option debias to be true or false, got 1/);
  expect(() => ema({ variance: 'bessel' as 'biased' })).toThrow(/'biased' or 'unbiased', got "bessel"/);
  expect(() => ema({ decy: 0.9 } as EmaOptions)).toThrow(/"decy"\. Did you mean decay\?/);
});

test('refuses a single value per channel only where Bessel needs more', () => {
  const single = { count: 1, mean: Float64Array.of(1), variance: Float64Array.of(0) };
  expect(() => ema({ variance: 'unbiased' }).update(single)).toThrow(MomentsError);
  expect(() => ema().update(single)).not.toThrow();
});
