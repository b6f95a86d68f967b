// Every experiment on CIFAR-10 as a whole, on a few photographs of noise: that it runs, as often as it says.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import '@rebatch/kernels-wasm';
import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { LabeledImages } from '@rebatch/images';
import seedrandom from 'seedrandom';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SeedSettings } from '../experiment.ts';
import { CLEAN } from '../photographs/clean-network.ts';
import { SHORT } from '../photographs/short-training.ts';
import { renderChart } from '../report/chart.ts';
import { resultOf } from '../testing/result-of.ts';
import { experiments } from './index.ts';

vi.mock('../photographs/data.ts', () => ({
  TRAINING: 40,
  preparePhotographs: async () => {},
  loadPhotographs: async () => ({ training: noise(40), validation: noise(40), test: noise(20) }),
}));

const random = seedrandom('noise');
/** Of ten classes in turns. */
function noise(size: number): LabeledImages {
  return {
    ...{ size, classes: 10, shape: [32, 32, 3] as const },
    images: Uint8Array.from({ length: size * 3072 }, () => 256 * random()),
    labels: Uint8Array.from({ length: size }, (_, i) => i % 10),
  };
}

/** A seed that no real run has: its network is removed afterwards. */
const SEED = 987_654;
const NETWORKS = fileURLToPath(new URL('../../.cache/networks/', import.meta.url));

beforeAll(async () => {
  await tf.setBackend('wasm');
});

afterAll(async () => {
  const own = (await readdir(NETWORKS)).filter((file) => file.startsWith(`clean-seed${SEED}-`));
  await Promise.all(own.map((file) => rm(`${NETWORKS}${file}`)));
});

const training = { ...SHORT, epochs: 1, batch: 10 };
const population = { mode: 'layerwise', samples: 10 } as const;
const clean = { ...CLEAN, epochs: 1, batch: 20, channels: [2, 3], population };
const start = { clean, test: 20 };

/** What is smaller than in a quick run. */
const TINY: Readonly<Record<string, object>> = {
  'cifar10-ema-vs-precise': { training, photographs: 20, samples: [10, 20], layerwiseSamples: 10 },
  'cifar10-ema-decay': {
    ...{ warmUp: training, photographs: 20, batch: 5, steps: 4, points: 2, apart: 1 },
    ...{ decays: [0.5, 0.9], preciseSamples: 10, validation: 20 },
  },
  'cifar10-precise-samples': { ...start, samples: [5, 20], batch: 10 },
  'cifar10-precise-batch-size': { training, photographs: 20, samples: 8, batches: [2, 4], blocks: 2 },
  'cifar10-fine-tuning': {
    ...{ pretraining: { ...training, population }, pretrainingImages: 20, tuning: training, images: 10 },
    momentums: [0.9, 0.99],
  },
  'cifar10-nbs-sweep': {
    ...{ normalizationBatches: [2, 10], evaluation: 20, population },
    regimes: ['all photographs', 'few photographs'].map((name) => ({ name, photographs: 20, training })),
  },
  'cifar10-frozen-last-epochs': {
    training: { ...training, afterwards: { share: 0.25, rate: 0.001 } },
    ...{ photographs: 40, normalizationBatches: [2, 10], population },
  },
  // Others may have trained theirs already.
  'cifar10-clean-network': { ...start, clean: { ...clean, channels: [2, 4] } },
  'cifar10-domain-shift': { ...start, samples: [8, 16], reference: 10, miniBatch: 10 },
  'cifar10-class-shift': { ...start, samples: [2, 4], classes: 2, reference: 4, miniBatch: 2 },
  'cifar10-leak-class-grouped': {
    ...{ training: { ...training, batch: 20 }, photographs: 40, batch: 20, groups: 10 },
    ...{ evaluation: 1, population },
  },
};

const all = experiments.filter(({ name }) => name.startsWith('cifar10-'));

test('there is a tiny run of each', () => {
  expect(Object.keys(TINY).sort()).toEqual(all.map(({ name }) => name).sort());
});

test.each(all.map((experiment) => [experiment.name, experiment] as const))(
  '%s runs as many steps as it says, leaks no tensor, and gives rows of shares',
  async (name, experiment) => {
    const settings = { ...experiment.settings(true), ...TINY[name], seeds: [SEED] } as SeedSettings;
    const tensors = tf.memory().numTensors;
    let steps = 0;
    const advance = () => void steps++;
    const rows = await experiment.runSeed(SEED, settings, { signal: new AbortController().signal, advance });
    expect(steps).toBe(experiment.steps(settings));
    expect(tf.memory().numTensors).toBe(tensors);
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
    for (const row of rows as Record<string, unknown>[]) {
      const errors = ['error', 'value', 'source', 'validationError'].flatMap((key) => row[key] ?? []);
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) expect(0 <= Number(error) && Number(error) <= 1).toBe(true);
    }
    const result = resultOf(experiment, rows);
    expect(experiment.table(result).body.length).toBeGreaterThan(0);
    expect(renderChart(experiment, result)).toMatch(/^<svg/);
  },
);
