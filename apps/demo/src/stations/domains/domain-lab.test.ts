import '@rebatch/kernels-wasm';
import { firstDigits, loadDigits } from '@rebatch/digits';
import { digitCorruptions as corruptions, type LabeledImages } from '@rebatch/images';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readDigitModel } from '../../network/digit-model.test.support.ts';
import { corrupted } from './digit-sets.ts';
import { type Breath, DomainLab, doublings } from './domain-lab.ts';
import { scoreOf } from './score.ts';
import { CORRUPTIONS, type Domain, SOURCE } from './settings.ts';

const CONTRAST: Domain = { corruption: 'contrast', severity: 4 };
const breath: Breath = { signal: new AbortController().signal, breathe: async () => {} };
let [train, test_]: LabeledImages[] = [];
let lab: DomainLab;

beforeAll(async () => {
  await tf.setBackend('wasm');
  train = firstDigits(await loadDigits('train'), 600);
  test_ = firstDigits(await loadDigits('t10k'), 600);
});

beforeEach(async () => {
  lab = await DomainLab.open(await readDigitModel(), train!, test_!);
});
afterEach(() => lab.dispose());

const accuracyOn = async (domain: Domain) =>
  (await lab.measure(await lab.digits(domain, breath), breath)).score.accuracy;
const adaptTo = async (domain: Domain, samples: number, prior = 8) => {
  await lab.adapt({ domain, samples, prior }, breath, async () => {});
};

test('the page names the corruptions that there are', () => {
  expect(CORRUPTIONS.map(({ value }) => value)).toEqual([...corruptions.map(({ name }) => name), 'none']);
});

test('a corruption breaks the model, and adapting repairs most of it', async () => {
  const clean = (await lab.clean(breath)).score.accuracy;
  const before = await accuracyOn(CONTRAST);
  await adaptTo(CONTRAST, 128);
  const after = await accuracyOn(CONTRAST);
  expect(clean).toBeGreaterThan(0.97);
  expect(before).toBeLessThan(0.5);
  expect(after).toBeGreaterThan(before + 0.6 * (clean - before));
});

test('activations are standard on clean digits, elsewhere on others, and come back', async () => {
  const clean = (await lab.clean(breath)).activations;
  const digits = await lab.digits(CONTRAST, breath);
  const before = (await lab.measure(digits, breath)).activations;
  await adaptTo(CONTRAST, 256, 0);
  const after = (await lab.measure(digits, breath)).activations;
  expect(clean).toHaveLength(3);
  for (const { mean, deviation, shares } of [...clean, ...after]) {
    expect(Math.abs(mean)).toBeLessThan(0.15);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.25);
    expect(shares.reduce((sum, share) => sum + share)).toBeGreaterThan(0.95);
  }
  for (const { deviation } of before) expect(deviation).toBeLessThan(0.85);
});

test('each domain is adapted to from the source, to ever more samples', async () => {
  await adaptTo({ corruption: 'stripe', severity: 5 }, 64);
  const seen: number[] = [];
  await lab.adapt({ domain: CONTRAST, samples: 48, prior: 8 }, breath, async (samples, shifts) => {
    seen.push(samples);
    expect(shifts).toHaveLength(3);
  });
  expect(seen).toEqual([8, 16, 32, 48]);
  const after = await accuracyOn(CONTRAST);
  await lab.toSource();
  await adaptTo(CONTRAST, 48);
  expect(await accuracyOn(CONTRAST)).toBe(after);
});

test('stored domains come back as they were, also from a file', async () => {
  await adaptTo(CONTRAST, 64);
  await lab.bank.capture('flat');
  const adapted = await accuracyOn(CONTRAST);
  expect(lab.bankState).toEqual({ names: [SOURCE, 'flat'], current: 'flat' });
  const file = lab.bank.save();
  const measureIt = async () => lab.measure(await lab.digits(CONTRAST, breath), breath);
  // Cancelled on the way it stays where it was.
  await expect(lab.use(SOURCE, () => Promise.reject(new Error('cancelled')))).rejects.toThrow('cancelled');
  expect(lab.bankState.current).toBe('flat');
  expect(await accuracyOn(CONTRAST)).toBe(adapted);
  const source = (await lab.use(SOURCE, measureIt)).score.accuracy;
  expect(lab.bankState.current).toBe(SOURCE);
  expect(source).toBeLessThan(adapted);
  lab.bank.delete('flat');
  expect(lab.bank.load(file)).toEqual([SOURCE, 'flat']);
  await lab.use('flat', measureIt);
  expect(await accuracyOn(CONTRAST)).toBe(adapted);
});

test('a digit is read under both statistics, and the model stays on the present ones', async () => {
  await adaptTo(CONTRAST, 64);
  await lab.bank.capture('flat');
  const image = test_!.images.slice(0, 784);
  const { seen, source, present } = await lab.read(image, CONTRAST, breath);
  expect(seen).not.toEqual(image);
  expect(lab.bankState.current).toBe('flat');
  for (const probabilities of [source, present]) {
    expect(probabilities).toHaveLength(10);
    expect(probabilities.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5);
  }
  expect(present.indexOf(Math.max(...present))).toBe(test_!.labels[0]);
  await lab.toSource();
  const again = await lab.read(image, CONTRAST, breath);
  expect(again.present).toEqual(again.source);
  expect(again.source).toEqual(source);
});

test('a few digits of one’s own are enough to adapt to', async () => {
  const images = test_!.images.slice(0, 3 * 784);
  const sizes: number[] = [];
  await lab.adapt({ domain: CONTRAST, images, samples: 64, prior: 8 }, breath, async (size) => {
    sizes.push(size);
  });
  expect(sizes).toEqual([3]);
  const none = lab.adapt(
    { domain: CONTRAST, images: new Uint8Array(), samples: 64, prior: 8 },
    breath,
    async () => {},
  );
  await expect(none).rejects.toThrow('one or more digits');
});

test('what is cancelled leaves the statistics of the last number of samples', async () => {
  const controller = new AbortController();
  const cancelled = { signal: controller.signal, breathe: async () => {} };
  const run = lab.adapt({ domain: CONTRAST, samples: 64, prior: 8 }, cancelled, async (samples) => {
    if (samples === 16) controller.abort(new DOMException('Cancelled.', 'AbortError'));
  });
  await expect(run).rejects.toThrow('Cancelled.');
  const left = await accuracyOn(CONTRAST);
  await lab.toSource();
  await adaptTo(CONTRAST, 16);
  expect(await accuracyOn(CONTRAST)).toBe(left);
});

test('nothing leaks', async () => {
  await lab.clean(breath);
  await adaptTo(CONTRAST, 16);
  const before = tf.memory().numTensors;
  await lab.clean(breath);
  await accuracyOn(CONTRAST);
  await adaptTo(CONTRAST, 16);
  await lab.read(test_!.images.slice(0, 784), CONTRAST, breath);
  expect(tf.memory().numTensors).toBe(before);
  lab.dispose();
  expect(tf.memory().numTensors).toBe(0);
  lab = await DomainLab.open(await readDigitModel(), train!, test_!);
});

test('fewer corrupted digits are the first of more', async () => {
  const options = { seed: 5, breathe: async () => {} };
  const noise: Domain = { corruption: 'gaussian-noise', severity: 3 };
  const [few, more] = [
    await corrupted(test_!, noise, { ...options, size: 60 }),
    await corrupted(test_!, noise, { ...options, size: 130 }),
  ];
  expect(few.images).toEqual(more.images.slice(0, 60 * 784));
  const difference = (digits: LabeledImages, at: number, pixel: number) =>
    digits.images[at * 784 + pixel]! - test_!.images[at * 784 + pixel]!;
  const noiseOf = (at: number) => Array.from({ length: 784 }, (_, pixel) => difference(more, at, pixel));
  expect(noiseOf(0)).not.toEqual(noiseOf(50));
});

test('accuracies are counted by class', () => {
  const digits = {
    size: 4,
    shape: [28, 28, 1],
    images: new Uint8Array(),
    labels: Uint8Array.of(0, 0, 1, 2),
    classes: 3,
  };
  expect(scoreOf([0, 1, 1, 0], digits as unknown as LabeledImages)).toEqual({
    accuracy: 0.5,
    perClass: [0.5, 1, 0],
    shown: [0, 1, 1, 0],
  });
  expect(doublings(8)).toEqual([8]);
  expect(doublings(100)).toEqual([8, 16, 32, 64, 100]);
});
