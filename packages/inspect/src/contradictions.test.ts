// No advice names an action that the measured errors speak against.
import { captureReference } from '@rebatch/domains';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { advise } from './advise.ts';
import { type Case, inspectCase, kinds, makeCase, WIDTH } from './faults.test.support.ts';
import { inspect } from './inspect.ts';
import { makeModel, run } from './network.test.support.ts';
import type { ErrorComparison, ErrorRate, InspectionReport } from './report.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A model whose weights were trained with variances in the first layer that are 1 / 200 of the data's: frozen ones. */
function frozenFarOff(seed: number): Case {
  const one = makeCase(seed);
  const [first, ...others] = one.exact;
  const far = { mean: first!.mean, variance: first!.variance.map((variance) => variance / 200) };
  return {
    ...one,
    exact: run(one.network, one.random.normals(8000 * WIDTH), [far, ...others]).seen.map((seen, l) =>
      l === 0 ? far : seen,
    ),
  };
}

const rate = (error: number, standardError = 0.01): ErrorRate => ({ error, standardError });

/** Errors by what they are under the stored, the precise and the mini-batch statistics. */
function errorsOf(stored: number, precise: number, batch: number, standardError = 0.01): ErrorComparison {
  const difference = (a: number, b: number) => rate(a - b, standardError);
  return {
    samples: 200,
    batches: 5,
    stored: rate(stored),
    precise: rate(precise),
    layerwise: rate(precise),
    batch: rate(batch),
    repaired: null,
    differences: {
      storedMinusPrecise: difference(stored, precise),
      preciseMinusBatch: difference(precise, batch),
      storedMinusLayerwise: difference(stored, precise),
      preciseMinusLayerwise: rate(0, 0.001),
      layerwiseMinusBatch: difference(precise, batch),
      storedMinusRepaired: null,
    },
  };
}

const textsOf = (report: InspectionReport) =>
  advise(report)
    .map(({ text }) => text)
    .join('\n');

describe('statistics that are far from the data, in the first layer', () => {
  test.each([
    ['many batches', { batches: 20, size: 32 }],
    ['few batches', { batches: 4, size: 256 }],
  ])('are kept where the model makes fewer errors with them: %s', async (_, about) => {
    for (const seed of [1, 2, 3]) {
      const one = frozenFarOff(seed);
      const report = await inspectCase(one, one.exact, { ...about, labels: true });
      expect(report.errors!.stored.error).toBe(0);
      expect(report.errors!.precise.error).toBeGreaterThan(0.1);
      expect(kinds(report)).toEqual(['keep-statistics']);
      const unlabelled = await inspectCase(one, one.exact, { ...about, labels: false });
      expect(kinds(unlabelled)).toEqual(['check-preprocessing']);
    }
  });

  test('are looked into where errors are not certain; recalibrating is said to lose what it loses', async () => {
    const one = frozenFarOff(4);
    const report = await inspectCase(one, one.exact, { batches: 20, size: 32, labels: false });
    const closing = (errors: ErrorComparison) => {
      const [advice, ...others] = advise({ ...report, errors });
      expect(advice!.advice).toBe('check-preprocessing');
      expect(others).toEqual([]);
      expect(advice!.evidence['errors.differences.storedMinusPrecise.error']).toBe(
        errors.differences.storedMinusPrecise.error,
      );
      return advice!.text.slice(advice!.text.search(/(Only i|I)f that is/));
    };
    expect(closing(errorsOf(0.8, 0.82, 0.85))).toBe(
      'If that is how the model was trained, keep the statistics. On 200 held-out samples the model makes an error of ' +
        '80.0% with the stored statistics and 82.0% with precise ones: recalibrating gains -2.0 ± 1.0 percentage points.',
    );
    expect(closing(errorsOf(0.3, 0.5, 0.2))).toContain('keep the statistics');
    expect(closing(errorsOf(0.3, 0.3, 0.3, 0.001))).toContain('keep the statistics');
    expect(closing(errorsOf(0.9, 0.05, 0.05))).toBe(
      'Only if that is how the model was trained, recalibrate. On 200 held-out samples the model makes an error of 90.0% ' +
        'with the stored statistics and 5.0% with precise ones: recalibrating gains 85.0 ± 1.0 percentage points.',
    );
  });

  test('against a reference, too', async () => {
    const one = makeCase(5);
    const model = makeModel(one.network, one.exact);
    const inputs = (scale: number) => tf.tensor2d(one.random.normals(320 * WIDTH, 0, scale), [320, WIDTH]);
    const reference = await captureReference(model, inputs(1));
    const report = await inspect(model, [inputs(15)], { batchSize: 32, reference });
    expect(kinds(report)).toEqual(['check-preprocessing']);
    const advised = (stored: number, matched: number) =>
      advise({
        ...report,
        driftErrors: {
          ...{ samples: 200, batches: 5, stored: rate(stored), matched: rate(matched) },
          storedMinusMatched: rate(stored - matched),
        },
      });
    expect(advised(0.05, 0.4).map(({ advice }) => advice)).toEqual(['keep-statistics']);
    expect(advised(0.4, 0.42)[0]!.text).toMatch(/capture the reference again\. .* a gain of -2\.0 ± 1\.0/);
    expect(advised(0.4, 0.05)[0]!.text).toMatch(/adapt\(model, inputs, .* a gain of 35\.0 ± 1\.0/);
    expect(advised(0.4, 0.05)[0]!.text).not.toContain('capture the reference again');
  });
});

test('whoever is to keep the statistics is not told to train with larger batches', async () => {
  const one = makeCase(6);
  const stale = one.exact.map(({ mean, variance }) => ({ mean, variance: variance.map((v) => 2 * v) }));
  const report = await inspectCase(one, stale, { batches: 100, size: 4, labels: false });
  expect(kinds(report)).toContain('larger-normalization-batches');
  const errors = errorsOf(0.05, 0.2, 0.3);
  expect(advise({ ...report, errors }).map(({ advice }) => advice)).toEqual(['keep-statistics']);
});

test('recalibrating first, before statistics are frozen, is said only where it does no harm', async () => {
  const one = makeCase(7);
  const report = await inspectCase(one, one.exact, { batches: 20, size: 32, labels: false });
  expect(textsOf({ ...report, errors: errorsOf(0.3, 0.3, 0.1) })).toMatch(/^Freeze .* \(recalibrate first\)/);
  const worse = textsOf({ ...report, errors: errorsOf(0.2, 0.3, 0.1) });
  expect(worse).toMatch(/^Freeze the statistics for the last epochs of training, or/);
  expect(worse.toLowerCase()).not.toContain('recalibrate');
});

test('layerwise statistics are not advised where the stored ones certainly make the same errors', async () => {
  const one = makeCase(8);
  const report = await inspectCase(one, one.exact, { batches: 20, size: 32, labels: false });
  const errors = errorsOf(0.1, 0.2, 0.3);
  const advised = (storedMinusLayerwise: ErrorRate) => {
    const differences = { ...errors.differences, storedMinusLayerwise, preciseMinusLayerwise: rate(0.1) };
    const layers = report.layers.map((layer) => ({ ...layer, layerwiseShift: null }));
    return advise({ ...report, layers, errors: { ...errors, differences } }).map(({ advice }) => advice);
  };
  expect(advised(rate(0, 0.02))).toContain('recalibrate-layerwise');
  expect(advised(rate(0, 0.001))).not.toContain('recalibrate-layerwise');
});

test('to recalibrate is no other way than to repair, where it makes more errors', async () => {
  const one = makeCase(10);
  const report = await inspectCase(one, one.exact, { batches: 20, size: 32, labels: false });
  const layers = report.layers.map((layer) => ({
    ...layer,
    quantization: {
      ...{ dtype: 'uint8' as const, meanStep: 0.1, varianceStep: 0.1, zeroVariances: 0, damaged: 3 },
      repairedShift: layer.shift,
    },
  }));
  expect(textsOf({ ...report, layers })).toContain('to recalibrate is the other way');
  const worse = textsOf({ ...report, layers, errors: errorsOf(0.2, 0.3, 0.3) });
  expect(worse).toContain('Repair the quantization');
  expect(worse.toLowerCase()).not.toContain('recalibrate');
});

test('statistics that are not finite are said to cost what they cost', async () => {
  const one = makeCase(9);
  const broken = one.exact.map(({ mean, variance }, l) => ({
    mean: l === 1 ? mean.map(() => Number.NaN) : mean,
    variance,
  }));
  const report = await inspectCase(one, broken, { batches: 12, size: 32, labels: true });
  expect(kinds(report)).toEqual(['recalibrate']);
  expect(report.advice[0]!.text).toMatch(/an error of 100\.0% with the stored .* a gain of \d+\.\d ± \d/);
});
