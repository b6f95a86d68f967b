// Faults that statistics show by themselves: of fifty models that were built to have one, and of healthy ones.
import { type SeededRandom, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { advise } from './advise.ts';
import { kinds } from './faults.test.support.ts';
import { formatReport } from './format.ts';
import { inspect } from './inspect.ts';
import {
  classesOf,
  EPSILON,
  makeModel,
  makeNetwork,
  type Network,
  run,
  type Statistics,
  toTensors,
} from './network.test.support.ts';
import type { InspectionOptions } from './options.ts';

const FIFTY = Array.from({ length: 50 }, (_, i) => i + 1);
const WIDTHS = [6, 12, 12, 3];
const NEW = ['check-preprocessing', 'repair-quantization', 'lower-momentum', 'near-dead-channels'];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A network whose channels differ in scale, as those of trained ones do: by `spread` as a logarithm. */
function makeCase(seed: number, spread = 0.5) {
  const random = seededRandom(seed);
  const network = makeNetwork(random, WIDTHS);
  network.kernels.slice(0, -1).forEach((kernel, layer) => {
    const units = WIDTHS[layer + 1]!;
    const scales = random.normals(units, 0, spread).map(Math.exp);
    kernel.forEach((value, at) => {
      kernel[at] = value * scales[at % units]!;
    });
  });
  return { random, network };
}

const exactOf = (network: Network, random: SeededRandom) => run(network, random.normals(2000 * 6, 0.3)).seen;

async function inspected(
  { network, random }: { network: Network; random: SeededRandom },
  stored: readonly Statistics[],
  {
    labeled,
    shift = 0.3,
    scale = 1,
  }: { labeled?: readonly Statistics[]; shift?: number; scale?: number } = {},
  options: InspectionOptions = {},
) {
  const batches = Array.from({ length: 10 }, () => random.normals(32 * 6, shift, scale));
  const labels = labeled && batches.map((batch) => classesOf(network, batch, labeled));
  const model = makeModel(network, stored);
  const data = toTensors(batches, 6, labels);
  try {
    return await inspect(model, data, options);
  } finally {
    tf.dispose(data);
    model.dispose();
  }
}

/** As TensorFlow.js's converter quantizes a weight, and as the weight is when it is loaded. */
function quantized(values: ArrayLike<number>, levels: number): { values: Float64Array; step: number } {
  const all = Array.from(values);
  let least = Math.min(...all);
  const step = (Math.max(...all) - least) / levels;
  // A grid around 0 has a level there.
  if (least < 0 && Math.max(...all) > 0) least = -Math.round(-least / step) * step;
  const level = (value: number) => Math.min(levels, Math.max(0, Math.round((value - least) / step)));
  return { values: Float64Array.from(all, (value) => Math.fround(level(value) * step + least)), step };
}

const quantizedStatistics = (statistics: readonly Statistics[], levels: number): Statistics[] =>
  statistics.map(({ mean, variance }) => ({
    mean: quantized(mean, levels).values,
    variance: quantized(variance, levels).values,
  }));

/** Whether rounding alone moved a channel by twice what counts as a fault. */
function isDamaged(exact: readonly Statistics[], stored: readonly Statistics[]): boolean {
  const floor = (variance: number) => Math.max(variance, EPSILON);
  return exact.some(({ mean, variance }, l) =>
    mean.some((m, c) => {
      const deviation = Math.sqrt(floor(variance[c]!));
      return (
        Math.abs(m - stored[l]!.mean[c]!) / deviation > 0.4 ||
        Math.abs(Math.log(floor(variance[c]!) / floor(stored[l]!.variance[c]!))) > 0.8
      );
    }),
  );
}

describe('of fifty models', () => {
  test('those whose statistics lost channels to 8 bits are to be repaired, and others are not', async () => {
    const missed: number[] = [];
    let damaged = 0;
    for (const seed of FIFTY) {
      const one = makeCase(seed, 1.8);
      const exact = exactOf(one.network, one.random);
      const stored = quantizedStatistics(exact, 255);
      const report = await inspected(one, stored);
      // Every grid is seen, however few of its levels are left.
      for (const { quantization } of report.layers) {
        expect(quantization, `seed ${seed}`).toMatchObject({
          dtype: 'uint8',
          varianceStep: expect.any(Number),
        });
      }
      expect(kinds(report)).not.toContain('check-preprocessing');
      expect(kinds(report)).not.toContain('lower-momentum');
      if (!isDamaged(exact, stored)) continue;
      damaged += 1;
      if (!kinds(report).includes('repair-quantization')) missed.push(seed);
    }
    expect(damaged).toBeGreaterThan(40);
    expect(missed.length).toBeLessThanOrEqual(1);
  });

  test('none that is healthy is accused, be it in 32 bits or in 16, nor on data of another domain', async () => {
    const alarms: string[] = [];
    for (const seed of FIFTY) {
      const one = makeCase(seed);
      const exact = exactOf(one.network, one.random);
      const plain = await inspected(one, exact);
      expect(plain.layers.map(({ quantization }) => quantization)).toEqual([null, null]);
      const fine = await inspected(one, quantizedStatistics(exact, 65535));
      expect(fine.layers.map(({ quantization }) => quantization?.dtype)).toEqual(['uint16', 'uint16']);
      expect(fine.layers.map(({ quantization }) => quantization?.damaged)).toEqual([0, 0]);
      const other = await inspected(one, exact, { shift: 1.5, scale: 2 });
      expect(kinds(other)).toContain('recalibrate');
      for (const report of [plain, fine, other]) {
        alarms.push(...kinds(report).filter((kind) => NEW.includes(kind)));
      }
    }
    expect(alarms).toEqual([]);
  });

  test('fine-tuned ones whose moving averages kept what they had are told so, by what training began with', async () => {
    let told = 0;
    for (const seed of FIFTY) {
      const one = makeCase(seed);
      const { network, random } = one;
      // Pretrained elsewhere: on other data, with other weights.
      const before = run(network, random.normals(2000 * 6, -1, 2)).seen;
      const kernels = network.kernels.map((kernel) =>
        Float32Array.from(kernel, (value) => value + 0.05 * random.normal()),
      );
      const tuned = { random, network: { ...network, kernels } };
      const now = exactOf(tuned.network, random);
      const remaining = 0.999 ** 150;
      const stored = now.map((own, l) => ({
        mean: own.mean.map((value, c) => (1 - remaining) * value + remaining * before[l]!.mean[c]!),
        variance: own.variance.map(
          (value, c) => (1 - remaining) * value + remaining * before[l]!.variance[c]!,
        ),
      }));
      const names = before.map((own, l) => ({ name: `bn${l}`, ...own }));
      const report = await inspected(tuned, stored, {}, { before: names });
      expect(kinds(report)[0], `seed ${seed}`).toBe('recalibrate');
      expect(report.movingAverage).toMatchObject({ from: 'before', momentum: 0.99 });
      if (kinds(report).includes('lower-momentum')) {
        told += 1;
        expect(report.movingAverage!.remaining).toBeCloseTo(remaining, 0.7);
      }
      // That it began with zeros and ones would be another story, which the numbers do not tell.
      if (seed > 10) continue;
      expect(kinds(await inspected(tuned, stored))).not.toContain('lower-momentum');
      // Statistics that never moved are frozen, whatever the momentum.
      const frozen = await inspected(tuned, before, {}, { before: names });
      expect(frozen.movingAverage).toBeNull();
      expect(kinds(frozen)).toContain('recalibrate');
    }
    expect(told).toBeGreaterThanOrEqual(49);
  });

  test('channels that carry nothing are named, each with its reason, and only these', async () => {
    for (const seed of FIFTY) {
      const { random, network } = makeCase(seed);
      const units = WIDTHS[1]!;
      const [still, scaled, negative] = [seed % units, (seed + 3) % units, (seed + 7) % units];
      const kernels = network.kernels.map((kernel, layer) =>
        kernel.map((value, at) => (layer === 0 && at % units === still ? 1e-4 * value : value)),
      );
      network.gamma[0]![scaled] = 1e-4;
      network.beta[0]![negative] = -7;
      const one = { random, network: { ...network, kernels } };
      const exact = exactOf(one.network, random);
      const report = await inspected(one, exact);
      const expected = [
        { channel: still, why: 'still' },
        { channel: scaled, why: 'gamma' },
        { channel: negative, why: 'negative' },
      ].sort((a, b) => a.channel - b.channel);
      expect(report.layers[0]!.nearDead, `seed ${seed}`).toEqual(expected);
      expect(report.layers[1]!.nearDead).toEqual([]);
      // It is no fault of the statistics: what is said of those stays.
      expect(kinds(report).at(-1)).toBe('near-dead-channels');
      expect(kinds(report)).toHaveLength(2);
      expect(['nothing-to-gain', 'measure-more']).toContain(kinds(report)[0]);
      expect(report.advice.at(-1)!.text).toContain('3 channels in 1 layer carry hardly any signal');
    }
  });
});

test('where nothing says what training began with, what so few steps leave is said all the same', async () => {
  const one = makeCase(3);
  const exact = exactOf(one.network, one.random);
  const report = await inspected(one, exact, { shift: 2 });
  expect(report.advice[0]!.text).not.toContain('momentum');
  const movingAverage = { ...report.movingAverage!, momentum: 0.999 };
  const [recalibrate] = advise({ ...report, movingAverage });
  // 0.999^100, of ten batches.
  expect(recalibrate!.text).toContain(
    'With momentum 0.999, ten epochs of these 10 batches leave 90.5% of what they were',
  );
  expect(advise({ ...report, movingAverage, batches: 100 })[0]!.text).not.toContain('momentum');
});

describe('quantization', () => {
  test('errors on held-out samples have the last word on the repair, and the report shows all', async () => {
    const one = makeCase(4, 1.8);
    const exact = exactOf(one.network, one.random);
    const stored = quantizedStatistics(exact, 255);
    const report = await inspected(one, stored, { labeled: exact });
    expect(kinds(report)[0]).toBe('repair-quantization');
    const { errors, advice } = report;
    expect(errors!.repaired!.error).toBeLessThan(errors!.stored.error);
    expect(errors!.differences.storedMinusRepaired!.error).toBeCloseTo(
      errors!.stored.error - errors!.repaired!.error,
      12,
    );
    expect(advice[0]!.text).toMatch(/a gain of \d+\.\d ± \d+\.\d percentage points\.$/);
    expect(formatReport(report)).toContain('repaired');
    // Weights that were tuned to the rounded statistics: they are to stay.
    const tuned = await inspected(one, stored, { labeled: stored });
    expect(tuned.errors!.stored.error).toBe(0);
    expect(kinds(tuned)).not.toContain('repair-quantization');
    expect(kinds(tuned)).not.toContain('recalibrate');
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('a manifest says the grid where values are too few to show it', async () => {
    const one = makeCase(4, 1.8);
    const exact = exactOf(one.network, one.random);
    // A grid of few levels, as of a weight that shared its scale with others.
    const step = 40;
    const stored = exact.map(({ mean, variance }) => ({
      mean,
      variance: variance.map((value) => Math.round(value / step) * step),
    }));
    const weightSpecs = [0, 1].map((layer) => ({
      name: `net/bn${layer}/moving_variance`,
      quantization: { dtype: 'uint8', scale: step, min: 0 },
    }));
    const report = await inspected(one, stored, {}, { weightSpecs });
    expect(report.layers.map(({ quantization }) => quantization!.varianceStep)).toEqual([step, step]);
    expect(report.layers[0]!.quantization!.meanStep).toBeNull();
    expect(report.layers[0]!.quantization!.zeroVariances).toBeGreaterThan(0);
    expect(kinds(report)[0]).toBe('repair-quantization');
    expect(report.advice[0]!.text).toContain('became 0');
    const none = await inspected(one, stored, {}, { weightSpecs: [] });
    expect(none.layers[0]!.quantization).toBeNull();
  });
});
