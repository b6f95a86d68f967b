import { expectClose, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import {
  cut,
  denseReference,
  EPSILON,
  exactReference,
  makeBlocks,
  makeSequential,
  momentsReference,
  preciseReference,
  setWeights,
  tensorOf,
  withBatches,
} from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RecalibrationProgress } from './options.ts';
import { estimateStatistics, recalibrate } from './recalibrate.ts';

const WIDTH = 4;
const random = seededRandom(9);
const blocks = makeBlocks(random, [WIDTH, 5, 3]);
const batches = cut(random.normals(60 * WIDTH), WIDTH, 16);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rms = (values: number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

test('is plain JSON, and says per layer what was seen and how far its statistics moved', async () => {
  const model = makeSequential(blocks);
  const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs));
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(report).toMatchObject({ mode: 'batch', estimator: 'populationVariance', samples: 60, batches: 4 });
  expect(report.tolerance).toBe(null);
  expect(report.milliseconds).toBeGreaterThanOrEqual(report.layers[0]!.milliseconds);
  preciseReference(batches, blocks).forEach(({ mean, variance }, i) => {
    const layer = report.layers[i]!;
    expect(layer).toMatchObject({ name: `bn${i}`, values: 60, passes: 1 });
    // The old statistics were mean 3 and variance 9.
    const means = [...mean].map((m) => (m - 3) / 3);
    const logs = [...variance].map((v) => Math.log(v / 9));
    const expected = [
      rms(means),
      Math.max(...means.map(Math.abs)),
      rms(logs),
      Math.max(...logs.map(Math.abs)),
    ];
    const { shift } = layer;
    const got = [shift!.mean.rms, shift!.mean.max, shift!.variance.rms, shift!.variance.max];
    expectClose(got, expected, 1e-5);
    expect(layer.applications).toEqual([
      { application: 0, pass: 1, values: 60, shift, standardErrors: layer.standardErrors },
    ]);
  });
  model.dispose();
});

test('standard errors take each batch as one cluster', async () => {
  const model = makeSequential(blocks);
  const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs));
  const seen = batches.map((batch) => momentsReference(denseReference(batch, blocks[0]!), blocks[0]!.units));
  const whole = preciseReference(batches, blocks)[0]!;
  const k = seen.length;
  const errors = [...whole.mean].map((mean, c) => {
    const [m, v] = [0, 0].map((_, part) =>
      Math.sqrt(
        (k / (k - 1)) *
          seen.reduce((sum, batch) => {
            const distance = batch.mean[c]! - mean;
            const pull = part === 0 ? distance : batch.variance[c]! + distance ** 2 - whole.variance[c]!;
            return sum + ((batch.count / whole.count) * pull) ** 2;
          }, 0),
      ),
    );
    const floor = Math.max(whole.variance[c]!, EPSILON);
    return [m! / Math.sqrt(floor), v! / floor];
  });
  const { mean, variance } = report.layers[0]!.standardErrors!;
  expectClose([mean.rms, variance.rms], [rms(errors.map((e) => e[0]!)), rms(errors.map((e) => e[1]!))], 1e-4);
  const one = await withBatches(batches.slice(0, 1), WIDTH, (xs) => recalibrate(model, xs));
  expect(one.layers[0]!.standardErrors).toBe(null);
  model.dispose();
});

test('broken old statistics can be replaced; the shift from them is unknown', async () => {
  const model = makeSequential(blocks);
  const { gamma, beta, units } = blocks[0]!;
  const broken = new Float32Array(units).fill(Number.NaN);
  setWeights(model.getLayer('bn0'), [gamma, beta, broken, broken]);
  const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode: 'layerwise' }));
  expect(report.layers[0]!.shift).toBe(null);
  expect(report.layers[1]!.shift).not.toBe(null);
  model.dispose();
});

describe.each(['batch', 'layerwise'] as const)("mode '%s'", (mode) => {
  test('progress counts batches and samples of each pass', async () => {
    const model = makeSequential(blocks);
    const steps: RecalibrationProgress[] = [];
    const onProgress = (progress: RecalibrationProgress) => steps.push(progress);
    await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode, samples: 60, onProgress }));
    const passes = mode === 'batch' ? 1 : 2;
    const expected = Array.from({ length: passes }, (_, pass) =>
      [16, 32, 48, 60].map((samples, i) => ({
        mode,
        pass: pass + 1,
        passes,
        batches: i + 1,
        samples,
        expectedSamples: 60,
      })),
    );
    expect(steps).toEqual(expected.flat());
    model.dispose();
  });

  test('non-finite batches can be left out, and are counted', async () => {
    const model = makeSequential(blocks);
    const bad = batches[1]!.slice().fill(Number.NaN);
    const { statistics, report } = await withBatches([batches[0]!, bad, ...batches.slice(1)], WIDTH, (xs) =>
      estimateStatistics(model, xs, { mode, nonFinite: 'skip', samples: 60 }),
    );
    expect(report).toMatchObject({ skipped: 1, samples: 60, batches: 4 });
    const reference =
      mode === 'batch'
        ? preciseReference(batches, blocks)
        : exactReference(Float32Array.from(batches.flatMap((batch) => [...batch])), blocks);
    reference.forEach(({ mean }, i) => {
      expectClose(statistics[i]!.mean, mean, 1e-5);
    });
    model.dispose();
  });

  test("'auto' stops when the standard errors are within tolerance, and says so", async () => {
    const model = makeSequential(blocks);
    const stream = {
      *[Symbol.iterator]() {
        const draw = seededRandom(1);
        for (let i = 0; i < 400; i++) yield tensorOf(draw.normals(16 * WIDTH), WIDTH);
      },
    };
    const run = (tolerance: number) => recalibrate(model, stream, { mode, samples: 'auto', tolerance });
    const [coarse, fine, tooFine] = [await run(0.1), await run(0.04), await run(1e-4)];
    for (const [report, tolerance] of [
      [coarse, 0.1],
      [fine, 0.04],
    ] as const) {
      expect(report.tolerance).toMatchObject({ asked: tolerance, met: true });
      expect(report.tolerance!.worst).toBeLessThanOrEqual(tolerance);
      expect(report.batches).toBeGreaterThanOrEqual(8);
      expect(report.samples).toBe(report.batches * 16);
    }
    // Standard errors fall as 1 / sqrt(samples): 6.25 times as many for 2.5 times the precision.
    expect(fine.samples / coarse.samples).toBeGreaterThan(3);
    expect(fine.samples / coarse.samples).toBeLessThan(13);
    expect(tooFine).toMatchObject({ batches: 400, tolerance: { met: false } });
    model.dispose();
  });
});
