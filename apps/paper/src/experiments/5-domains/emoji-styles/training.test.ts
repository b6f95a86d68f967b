import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { LabeledImages } from '@rebatch/images';
import { beforeAll, expect, test } from 'vitest';
import { sampleIndices } from '../../../training/shuffle.ts';
import { stepsOfBoth, trainOnBoth } from './both-styles.ts';
import { stepsOfOne, trainOnOne } from './one-style.ts';
import type { Settings } from './rows.ts';
import { splitSymbols } from './split.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const settings: Settings = {
  seeds: [1],
  size: 4,
  testShare: 0.5,
  copies: 2,
  shift: 1,
  blocks: [2, 'pool', 3],
  batch: 8,
  steps: 3,
  learningRate: 0.1,
  schedule: 'cosine',
  samples: [4],
  draws: 2,
  priors: [0, 16],
};

/** 32 symbols in two categories. */
const style = (seed: number, brightness: number): LabeledImages => ({
  size: 32,
  shape: [4, 4, 3],
  images: Uint8Array.from(sampleIndices(32 * 48, 32 * 48, seed), (i) => brightness + (i % 100)),
  labels: Uint8Array.from({ length: 32 }, (_, i) => i % 2),
  classes: 2,
});

const different = { google: style(1, 0), twitter: style(2, 150) };
const same = { google: style(1, 0), twitter: style(1, 0) };
const split = splitSymbols(different.google.labels, settings.testShare, 1);

function recorded(signal = new AbortController().signal) {
  const steps: string[] = [];
  return { steps, context: { signal, advance: (what: string) => void steps.push(what) } };
}

test('a network of one style is measured on both, with each number of pictures and prior', async () => {
  const before = tf.memory().numTensors;
  const { steps, context } = recorded();
  const rows = await trainOnOne(different, split, 1, settings, context);
  expect(tf.memory().numTensors).toBe(before);
  expect(steps).toHaveLength(stepsOfOne(settings));
  const errors = rows.filter((row) => row.part === 'one style');
  for (const [trained, tested] of [
    ['google', 'twitter'],
    ['twitter', 'google'],
  ]) {
    const of = errors.filter((row) => row.trained === trained);
    expect(of.map((row) => [row.tested, row.samples, row.prior])).toEqual(
      expect.arrayContaining([
        [trained, 0, 0],
        [tested, 0, 0],
        [tested, 4, 0],
        [tested, 4, 16],
        [tested, 16, 0],
        [tested, 16, 16],
      ]),
    );
    expect(of).toHaveLength(6);
  }
  expect(errors.every(({ error }) => error >= 0 && error <= 1)).toBe(true);
  const distances = rows.filter((row) => row.part === 'distance');
  expect(distances.map(({ trained }) => trained)).toEqual(['google', 'twitter']);
  expect(Math.min(...distances.map(({ shift }) => shift))).toBeGreaterThan(0.5);
  expect(await trainOnOne(different, split, 1, settings, recorded().context)).toEqual(rows);
});

test('a network of both styles is measured under both populations of each training', async () => {
  const before = tf.memory().numTensors;
  const { steps, context } = recorded();
  const rows = await trainOnBoth(different, split, 1, settings, context);
  expect(tf.memory().numTensors).toBe(before);
  expect(steps).toHaveLength(stepsOfBoth(settings));
  const errors = rows.filter((row) => row.part === 'both styles');
  const kinds = errors.map((row) => `${row.train} ${row.population} ${row.affine} ${row.tested}`);
  expect(new Set(kinds).size).toBe(12);
  expect(errors).toHaveLength(12);
  const [distance] = rows.filter((row) => row.part === 'distance');
  expect(distance).toMatchObject({ trained: 'both', shift: expect.any(Number) });
  expect((distance as { shift: number }).shift).toBeGreaterThan(0.5);
});

test('where both styles are the same, nothing depends on the style', async () => {
  const one = await trainOnOne(same, split, 1, settings, recorded().context);
  for (const row of one) {
    if (row.part === 'distance') expect(row.shift).toBeLessThan(1e-4);
    else if (row.samples === 0 || row.samples === 16) {
      const own = one.find((r) => r.part === 'one style' && r.trained === row.trained && r.samples === 0);
      expect(row.error).toBe((own as typeof row).error);
    }
  }
  const both = await trainOnBoth(same, split, 1, settings, recorded().context);
  for (const row of both) {
    if (row.part === 'distance') expect(row.shift).toBeLessThan(1e-4);
    else if (row.affine === 'shared') {
      const twin = both.find(
        (r) => r.part === 'both styles' && r.affine === 'shared' && r.train === row.train && r !== row,
      );
      expect(row.error).toBe((twin as typeof row).error);
    }
  }
});

test('an interruption ends both, and leaves no tensors', async () => {
  const before = tf.memory().numTensors;
  for (const train of [trainOnOne, trainOnBoth]) {
    const abort = new AbortController();
    const { steps, context } = recorded(abort.signal);
    const advance = (what: string) => {
      context.advance(what);
      if (steps.length === 2) abort.abort(new Error('stop'));
    };
    await expect(train(different, split, 1, settings, { ...context, advance })).rejects.toThrow(/^stop$/);
    expect(steps).toHaveLength(2);
  }
  expect(tf.memory().numTensors).toBe(before);
});
