import { ema, meanOfBatchVariance, slidingWindow } from '@rebatch/estimators';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import {
  bnReluReference,
  cut,
  denseReference,
  exactReference,
  held,
  makeBlocks,
  makeSequential,
  momentsReference,
  preciseReference,
  weightsOf,
  withBatches,
} from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { estimateStatistics, recalibrate } from './recalibrate.ts';

const WIDTH = 5;
const random = seededRandom(7);
const blocks = makeBlocks(random, [WIDTH, 6, 4, 3]);
const data = random.normals(50 * WIDTH, 1, 2);
const model = () => makeSequential(blocks);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe("mode 'batch'", () => {
  test('writes what the formula of PreciseBN gives, batches of different sizes weighted by count', async () => {
    const net = model();
    const batches = cut(data, WIDTH, 16);
    const report = await withBatches(batches, WIDTH, (tensors) => recalibrate(net, tensors));
    preciseReference(batches, blocks).forEach((expected, i) => {
      const { mean, variance } = held(net, `bn${i}`);
      expectClose(mean, expected.mean, 1e-5, `mean of bn${i}`);
      expectClose(variance, expected.variance, 1e-5, `variance of bn${i}`);
    });
    expect(report).toMatchObject({ mode: 'batch', samples: 50, batches: 4, passes: 1, skipped: 0 });
    net.dispose();
  });

  test('takes whole batches until the samples are there', async () => {
    const net = model();
    const batches = cut(data, WIDTH, 16);
    const report = await withBatches(batches, WIDTH, (tensors) => recalibrate(net, tensors, { samples: 20 }));
    expect(report).toMatchObject({ samples: 32, batches: 2 });
    preciseReference(batches.slice(0, 2), blocks).forEach(({ mean }, i) => {
      expectClose(held(net, `bn${i}`).mean, mean, 1e-5);
    });
    net.dispose();
  });

  test('uses the estimator that it is given', async () => {
    const net = model();
    const batches = cut(data, WIDTH, 16);
    const decay = 0.7;
    // Each layer's batch moments, by loops.
    const seen = batches.map((batch) => {
      let x: ArrayLike<number> = batch;
      return blocks.map((block) => {
        const z = denseReference(x, block);
        const moments = momentsReference(z, block.units);
        x = bnReluReference(z, block, moments);
        return moments;
      });
    });
    const run = async (estimator: Parameters<typeof recalibrate>[2] & object) => {
      await withBatches(batches, WIDTH, (tensors) => recalibrate(net, tensors, estimator));
      return blocks.map((_, i) => held(net, `bn${i}`));
    };
    const averaged = await run({ estimator: () => ema({ decay }) });
    const besselled = await run({ estimator: meanOfBatchVariance });
    const windowed = await run({ estimator: () => slidingWindow({ batches: 1 }) });
    blocks.forEach(({ units }, i) => {
      for (let c = 0; c < units; c++) {
        let [emaMean, emaVariance, bessel] = [0, 1, 0];
        for (const batch of seen) {
          const { mean, variance, count } = batch[i]!;
          emaMean = decay * emaMean + (1 - decay) * mean[c]!;
          emaVariance = decay * emaVariance + (1 - decay) * variance[c]!;
          bessel += (variance[c]! * count) / (count - 1) / seen.length;
        }
        expect(averaged[i]!.mean[c]).toBeCloseTo(emaMean, 4);
        expect(averaged[i]!.variance[c]).toBeCloseTo(emaVariance, 4);
        expect(besselled[i]!.variance[c]).toBeCloseTo(bessel, 4);
      }
      expectClose(windowed[i]!.mean, seen.at(-1)![i]!.mean, 1e-5);
    });
    net.dispose();
  });
});

describe("mode 'layerwise'", () => {
  test('gives the exact population statistics, one pass per layer in a chain', async () => {
    const net = model();
    const report = await withBatches(cut(data, WIDTH, 16), WIDTH, (tensors) =>
      recalibrate(net, tensors, { mode: 'layerwise' }),
    );
    exactReference(data, blocks).forEach((expected, i) => {
      expectClose(held(net, `bn${i}`).mean, expected.mean, 1e-5, `mean of bn${i}`);
      expectClose(held(net, `bn${i}`).variance, expected.variance, 1e-5, `variance of bn${i}`);
    });
    expect(report).toMatchObject({ mode: 'layerwise', samples: 50, passes: 3 });
    expect(report.layers.map(({ applications }) => applications[0]!.pass)).toEqual([1, 2, 3]);
    net.dispose();
  });

  test('takes exactly the samples asked for', async () => {
    const net = model();
    const report = await withBatches(cut(data, WIDTH, 16), WIDTH, (tensors) =>
      recalibrate(net, tensors, { mode: 'layerwise', samples: 21 }),
    );
    expect(report).toMatchObject({ samples: 21, batches: 2 });
    exactReference(data.slice(0, 21 * WIDTH), blocks).forEach(({ variance }, i) => {
      expectClose(held(net, `bn${i}`).variance, variance, 1e-5);
    });
    net.dispose();
  });

  test('does not depend on how the data is cut into batches, nor on their order', async () => {
    const net = model();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 7, 64),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
        fc.integer(),
        async (size, sizes, seed) => {
          const draw = seededRandom(seed);
          const rows = cut(data, WIDTH, 1).sort(() => draw.uniform() - 0.5);
          const shuffled = Float32Array.from(rows.flatMap((row) => [...row]));
          // Batches of one size, and batches of random sizes.
          const ragged: Float32Array[] = [];
          for (let start = 0, i = 0; start < 50; i++) {
            const end = Math.min(50, start + sizes[i % sizes.length]!);
            ragged.push(shuffled.slice(start * WIDTH, end * WIDTH));
            start = end;
          }
          const expected = exactReference(data, blocks);
          for (const batches of [cut(shuffled, WIDTH, size), ragged]) {
            const { statistics } = await withBatches(batches, WIDTH, (tensors) =>
              estimateStatistics(net, tensors, { mode: 'layerwise' }),
            );
            statistics.forEach(({ mean, variance, count }, i) => {
              expectClose(mean, expected[i]!.mean, 1e-5);
              expectClose(variance, expected[i]!.variance, 1e-5);
              expect(count).toBe(50);
            });
          }
        },
      ),
      { numRuns: 20 },
    );
    net.dispose();
  });
});

describe.each(['batch', 'layerwise'] as const)("mode '%s'", (mode) => {
  test('changes only the moving statistics, and leaves no tensor', async () => {
    const net = model();
    const before = weightsOf(net);
    await withBatches(cut(data, WIDTH, 16), WIDTH, (tensors) =>
      expectNoLeaks(tf, () => recalibrate(net, tensors, { mode })),
    );
    const after = weightsOf(net);
    net.weights.forEach(({ name }, i) => {
      if (/moving_(mean|variance)/.test(name)) expect(after[i], name).not.toEqual(before[i]);
      else expect(after[i], name).toEqual(before[i]);
    });
    net.dispose();
  });

  test('estimateStatistics gives the same and writes nothing', async () => {
    const net = model();
    const before = weightsOf(net);
    await withBatches(cut(data, WIDTH, 16), WIDTH, async (tensors) => {
      const { statistics } = await estimateStatistics(net, tensors, { mode });
      expect(weightsOf(net)).toEqual(before);
      await recalibrate(net, tensors, { mode });
      statistics.forEach(({ name, mean, variance }) => {
        expect([...held(net, name).mean]).toEqual([...Float32Array.from(mean)]);
        expect([...held(net, name).variance]).toEqual([...Float32Array.from(variance)]);
      });
    });
    net.dispose();
  });
});
