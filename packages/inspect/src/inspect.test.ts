import { expectClose, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { inspect } from './inspect.ts';
import {
  classesOf,
  EPSILON,
  makeModel,
  makeNetwork,
  merged,
  precise,
  run,
  type Statistics,
  toTensors,
} from './network.test.support.ts';
import { chooser } from './roles.ts';

const WIDTH = 6;
const SIZE = 8;
const BATCHES = 20;
const random = seededRandom(11);
const network = makeNetwork(random, [WIDTH, 10, 9, 8, 4]);
const batches = Array.from({ length: BATCHES }, () => random.normals(SIZE * WIDTH, 0.5, 2));
const stored = precise(network, batches).map(({ mean, variance }) => ({
  mean: mean.map((m, c) => m + 0.3 * (c % 3)),
  variance: variance.map((v, c) => v * (1 + 0.5 * (c % 2))),
}));
// Labels that no kind of statistics gets right everywhere.
const labels = batches.map((batch, i) =>
  classesOf(network, batch).map((label, j) => ((i + j) % 7 ? label : (label + 1) % 4)),
);

const choices = (labeled: boolean, seed = 0) => {
  const choose = chooser(seed);
  return batches.map((_, i) => choose(i, labeled));
};
const pick = <T>(items: readonly T[], which: (i: number) => boolean) => items.filter((_, i) => which(i));
const rms = (values: ArrayLike<number>) =>
  Math.sqrt(Array.from(values).reduce((s, v) => s + v * v, 0) / values.length);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const shiftOf = (from: Statistics, to: Statistics) => ({
  mean: to.mean.map((m, c) => (m - from.mean[c]!) / Math.sqrt(from.variance[c]!)),
  variance: to.variance.map((v, c) => Math.log(v / from.variance[c]!)),
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function report(options: Parameters<typeof inspect>[2], withLabels: boolean) {
  const model = makeModel(network, stored);
  const data = toTensors(batches, WIDTH, withLabels ? labels : undefined);
  try {
    return await inspect(model, data, options);
  } finally {
    tf.dispose(data);
    model.dispose();
  }
}

describe('the report, against float64 loops', () => {
  test('shift between stored and precise statistics, its standard errors, and the divergence summed over depth', async () => {
    const { layers, samples, batches: count, batchSize, errors } = await report({}, false);
    expect({ samples, count, batchSize, errors }).toEqual({
      samples: SIZE * BATCHES,
      count: BATCHES,
      batchSize: SIZE,
      errors: null,
    });
    const expected = precise(network, batches);
    const seen = batches.map((batch) => run(network, batch).seen);
    let sum = 0;
    layers.forEach((layer, l) => {
      const [from, to] = [stored[l]!, expected[l]!];
      const shift = shiftOf(from, to);
      expectClose(
        [layer.shift!.mean.rms, layer.shift!.variance.rms],
        [rms(shift.mean), rms(shift.variance)],
        1e-5,
      );
      const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));
      expectClose(
        [layer.shift!.mean.max, layer.shift!.variance.max],
        [largest(shift.mean), largest(shift.variance)],
        1e-5,
      );
      const divergence = [...from.mean.keys()].map((c) => {
        const [va, vb] = [from.variance[c]!, to.variance[c]!];
        const d = (to.mean[c]! - from.mean[c]!) ** 2;
        return 0.5 * ((va + d) / vb + (vb + d) / va - 2);
      });
      sum += mean(divergence);
      expectClose([layer.shift!.symmetricKL.mean], [mean(divergence)], 1e-5);
      expectClose([layer.shift!.symmetricKL.max], [Math.max(...divergence)], 1e-5);
      expectClose([layer.shift!.cumulativeKL], [sum], 1e-5);
      // Equal batches: the ratio estimator is the standard error of a mean.
      const own = seen.map((of) => of[l]!);
      const scale = BATCHES * (BATCHES - 1);
      const errorOf = (pull: (of: Statistics, c: number) => number) =>
        rms(
          [...to.mean.keys()].map((c) => Math.sqrt(own.reduce((s, of) => s + pull(of, c) ** 2, 0) / scale)),
        );
      expectClose(
        [layer.shift!.standardErrors.mean, layer.shift!.standardErrors.variance],
        [
          errorOf((of, c) => (of.mean[c]! - to.mean[c]!) / Math.sqrt(from.variance[c]!)),
          errorOf((of, c) => (of.variance[c]! + (of.mean[c]! - to.mean[c]!) ** 2) / to.variance[c]! - 1),
        ],
        1e-4,
      );
      expect(layer).toMatchObject({
        name: `bn${l}`,
        depth: l,
        channels: from.mean.length,
        valuesPerBatch: SIZE,
      });
    });
  });

  test('noise of mini-batch statistics', async () => {
    const { layers } = await report({}, false);
    const seen = batches.map((batch) => run(network, batch).seen);
    layers.forEach(({ noise }, l) => {
      const own = seen.map((of) => of[l]!);
      const population = merged(own);
      const scatter = (value: (of: Statistics, c: number) => number) =>
        [...population.mean.keys()].map((c) => {
          const values = own.map((of) => value(of, c));
          const center = mean(values);
          return Math.sqrt(values.reduce((s, v) => s + (v - center) ** 2, 0) / (BATCHES - 1));
        });
      const means = scatter((of, c) => of.mean[c]! / Math.sqrt(population.variance[c]!));
      const variances = scatter((of, c) => of.variance[c]! / population.variance[c]!);
      expectClose([noise!.mean, noise!.variance], [rms(means), rms(variances)], 1e-5);
      expectClose([noise!.effectiveValues!], [1 / rms(means) ** 2], 1e-5);
      expect(noise!.batches).toBe(BATCHES);
    });
  });

  test('the shift that depth adds, layer by layer against by batch, on the same samples', async () => {
    const { layers, accumulation } = await report({}, false);
    const used = pick(batches, (i) => choices(false)[i]!.pooled);
    expect(used).toHaveLength(7);
    expect(accumulation).toMatchObject({ batches: 7, samples: 7 * SIZE });
    const byBatch = precise(network, used);
    // One batch of everything: each layer behind layers that use the statistics of everything.
    const layerwise = run(
      network,
      used.flatMap((batch) => [...batch]),
    ).seen;
    const slopes: number[] = [];
    layers.forEach(({ estimationShift: shift }, l) => {
      const expected = shiftOf(layerwise[l]!, byBatch[l]!);
      slopes.push(rms(expected.mean));
      if (l === 0) expect(Math.max(shift!.mean.max, shift!.variance.max)).toBeLessThan(1e-6);
      else {
        expectClose([shift!.mean.rms], [rms(expected.mean)], 1e-4);
        expectClose([shift!.variance.rms], [rms(expected.variance)], 1e-4);
      }
    });
    expectClose([accumulation!.perLayer.mean], [(slopes[2]! - slopes[0]!) / 2], 1e-4);
  });

  test('errors on held-out batches under stored, precise, layerwise and mini-batch statistics', async () => {
    const { errors, layers } = await report({ seed: 5 }, true);
    const roles = choices(true, 5);
    const held = [...batches.keys()].filter((i) => roles[i]!.heldOut);
    expect(held).toHaveLength(3);
    const rest = pick(batches, (i) => !roles[i]!.heldOut);
    const part = pick(batches, (i) => roles[i]!.pooled);
    const population = precise(network, rest);
    const byBatch = precise(network, part);
    const together = run(
      network,
      part.flatMap((batch) => [...batch]),
    ).seen;
    const layerwise = population.map((of, l) => ({
      mean: of.mean.map((m, c) => m + together[l]!.mean[c]! - byBatch[l]!.mean[c]!),
      variance: of.variance.map((v, c) => (v * together[l]!.variance[c]!) / byBatch[l]!.variance[c]!),
    }));
    const wrong = (statistics?: readonly Statistics[]) =>
      held.flatMap((i) =>
        [...classesOf(network, batches[i]!, statistics)].map((label, j) => Number(label !== labels[i]![j])),
      );
    const expected = {
      stored: wrong(stored),
      precise: wrong(population),
      layerwise: wrong(layerwise),
      batch: wrong(),
    };
    for (const [kind, values] of Object.entries(expected)) {
      expectClose([errors![kind as keyof typeof expected]!.error], [mean(values)], 1e-12, kind);
    }
    const difference = expected.stored.map((value, i) => value - expected.precise[i]!);
    expectClose([errors!.differences.storedMinusPrecise.error], [mean(difference)], 1e-12);
    const variance =
      difference.reduce((s, v) => s + (v - mean(difference)) ** 2, 0) / (difference.length - 1);
    const bySample = Math.sqrt(variance / difference.length);
    const clusters = held.map((_, k) => mean(difference.slice(k * SIZE, (k + 1) * SIZE)));
    const byBatchError = Math.sqrt(
      clusters.reduce((s, v) => s + (v - mean(difference)) ** 2, 0) / (held.length * (held.length - 1)),
    );
    expectClose(
      [errors!.differences.storedMinusPrecise.standardError],
      [Math.max(bySample, byBatchError, 1 / difference.length)],
      1e-9,
    );
    expect(errors).toMatchObject({ samples: 3 * SIZE, batches: 3 });
    // The precise statistics leave the held-out batches out.
    const shift = shiftOf(stored[1]!, population[1]!);
    expectClose([layers[1]!.shift!.mean.rms], [rms(shift.mean)], 1e-5);
    expect(EPSILON).toBeLessThan(Math.min(...population.flatMap(({ variance: v }) => [...v])));
  });
});
