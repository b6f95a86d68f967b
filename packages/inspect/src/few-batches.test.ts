// Few batches make nothing certain: neither faults of healthy models, nor the health of those that were not measured.
import { type SeededRandom, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { kinds } from './faults.test.support.ts';
import { inspect } from './inspect.ts';
import { standardErrorsOf } from './judge.ts';
import { setWeights } from './network.test.support.ts';
import type { InspectionReport } from './report.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Setup {
  readonly channels: number;
  readonly sizes: readonly number[];
  readonly labels?: boolean;
  /** Of the stored statistics; the data's are 0 and 1. */
  readonly mean?: number;
  readonly variance?: number;
}

/** One normalization layer on standard normal data. */
async function inspectNormal(random: SeededRandom, setup: Setup): Promise<InspectionReport> {
  const { channels, sizes, labels = false, mean = 0, variance = 1 } = setup;
  const model = tfl.sequential({
    layers: [tfl.layers.batchNormalization({ inputShape: [channels], name: 'bn' })],
  });
  const all = (value: number) => new Array<number>(channels).fill(value);
  setWeights(model.layers[0]!, [all(1), all(0), all(mean), all(variance)]);
  const data = sizes.map((size) => ({
    xs: tf.tensor2d(random.normals(size * channels), [size, channels]),
    ...(labels ? { ys: tf.zeros([size], 'int32') } : {}),
  }));
  try {
    return await inspect(model, data);
  } finally {
    tf.dispose(data);
    model.dispose();
  }
}

const equal = (batches: number, size: number) => new Array<number>(batches).fill(size);

// Noise of 16 values is 0.25 and 0.36: healthy, but not by much. 40 models: one false accusation is 2.5%.
describe.each([1, 4])('%i channels', (channels) => {
  test.each([
    [2, 16],
    [2, 64],
    [3, 16],
    [4, 16],
    [5, 16],
    [10, 16],
    [10, 64],
  ])('%i batches of %i accuse healthy models of nothing', async (batches, size) => {
    const random = seededRandom(1000 * batches + size + channels);
    const accused: string[] = [];
    for (let i = 0; i < 40; i++) {
      const found = kinds(await inspectNormal(random, { channels, sizes: equal(batches, size) }));
      if (batches < 5) expect(found).toEqual(['measure-more']);
      accused.push(...found.filter((kind) => kind !== 'measure-more' && kind !== 'nothing-to-gain'));
    }
    expect(accused.length, accused.join()).toBeLessThanOrEqual(1);
  });
});

test('labels leave fewer batches for the statistics', async () => {
  const random = seededRandom(7);
  for (let i = 0; i < 40; i++) {
    const report = await inspectNormal(random, { channels: 3, sizes: equal(3, 12), labels: true });
    expect(kinds(report)).not.toContain('recalibrate');
    expect(report.layers[0]!.shift!.batches).toBe(2);
  }
});

test('ten batches are enough for faults that are large', async () => {
  const random = seededRandom(8);
  for (let i = 0; i < 10; i++) {
    const report = await inspectNormal(random, { channels: 4, sizes: equal(10, 64), mean: 2 });
    expect(kinds(report)).toEqual(['recalibrate']);
  }
});

test('the noise of two batches is not known to a standard error of zero', async () => {
  const { noise } = (await inspectNormal(seededRandom(9), { channels: 1, sizes: equal(2, 16) })).layers[0]!;
  expect(noise!.standardErrors.mean).toBeCloseTo(noise!.mean / Math.SQRT2, 12);
  expect(noise!.standardErrors.variance).toBeCloseTo(noise!.variance / Math.SQRT2, 12);
});

// Two-sided quantiles of Student's t at p = 0.0027, from tables.
test.each([
  [5, 6.62],
  [6, 5.507],
  [10, 4.094],
  [11, 3.957],
  [1e6, 3],
])('certainty from %i batches takes %f standard errors', (batches, expected) => {
  expect(Math.abs(standardErrorsOf({ batches }) / expected - 1)).toBeLessThan(0.01);
});

test('noise is that of the most frequent batch size, wherever batches of it are', async () => {
  const random = seededRandom(6);
  const report = await inspectNormal(random, { channels: 4, sizes: [2, 2, ...equal(20, 64), 7, 7] });
  const [layer] = report.layers;
  expect(report.batchSize).toBe(64);
  expect(layer!.valuesPerBatch).toBe(64);
  expect(layer!.noise!.batches).toBe(20);
  // 1 / sqrt(64).
  expect(Math.abs(layer!.noise!.mean - 0.125)).toBeLessThan(0.05);
  expect(report.accumulation!.samples % 64).toBe(0);
  expect(report.accumulation!.batches).toBeGreaterThan(3);
  // Of equally frequent sizes, the first.
  const tied = await inspectNormal(random, { channels: 4, sizes: [32, 16, 32, 16] });
  expect(tied.batchSize).toBe(32);
  expect(tied.layers[0]!.noise!.batches).toBe(2);
});

describe('batches that all differ in size', () => {
  const sizes = [64, 48, 40];

  test('do not hide broken statistics', async () => {
    for (const broken of [{ mean: Number.NaN }, { variance: -1 }]) {
      const report = await inspectNormal(seededRandom(4), { channels: 4, sizes, ...broken });
      expect(report.layers[0]!.noise).toBeNull();
      expect(kinds(report)).toEqual(['recalibrate']);
    }
  });

  test('leave the noise unmeasured, which is not nothing to gain', async () => {
    const report = await inspectNormal(seededRandom(5), {
      channels: 4,
      sizes: [2000, 2001, 2002, 2003, 2004, 2005],
    });
    expect(kinds(report)).toEqual(['measure-more']);
    const { evidence } = report.advice[0]!;
    expect(Object.keys(evidence)).toEqual(['shift.mean.rms (largest)', 'shift.variance.rms (largest)']);
    expect(evidence['shift.mean.rms (largest)']).toBe(report.layers[0]!.shift!.mean.rms);
  });
});
