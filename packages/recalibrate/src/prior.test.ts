// A prior: old and new statistics blended by samples, against float64 loops; and what must not change without one.
import { type Estimator, populationVariance } from '@rebatch/estimators';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import {
  type Block,
  bnReluReference,
  cut,
  denseReference,
  EPSILON,
  held,
  makeBlocks,
  makeSequential,
  momentsReference,
  preciseReference,
  setWeights,
  weightsOf,
  withBatches,
} from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { applyStatistics, StatisticsError } from './index.ts';
import { estimateStatistics, recalibrate } from './recalibrate.ts';

const WIDTH = 5;
const SAMPLES = 50;
const random = seededRandom(23);
const blocks = makeBlocks(random, [WIDTH, 6, 4, 3]);
const data = random.normals(SAMPLES * WIDTH, 1, 2);
const batches = cut(data, WIDTH, 16);
const modes = ['batch', 'layerwise'] as const;
type Statistics = { mean: ArrayLike<number>; variance: ArrayLike<number> };
// Those that makeSequential sets.
const old = blocks.map(({ units }) => ({
  mean: new Array<number>(units).fill(3),
  variance: new Array<number>(units).fill(9),
}));

type Norm = tfl.layers.Layer & { movingVariance: tfl.LayerVariable };

/** Holds two layers, and applies the first. */
class OneOfTwo extends tfl.layers.Layer {
  static readonly className = 'OneOfTwo';
  readonly layers = ['used', 'idle'].map((name) =>
    tfl.layers.batchNormalization({ epsilon: EPSILON, name }),
  ) as unknown as readonly [Norm, Norm];

  override build(shape: tfl.Shape): void {
    for (const layer of this.layers) layer.build(shape);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.layers[0].apply(inputs) as tf.Tensor;
  }

  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return shape;
  }
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function blended(from: Statistics, to: Statistics, prior: number, samples = SAMPLES): Statistics {
  const mix = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a, (value, c) => (prior * value + samples * b[c]!) / (prior + samples));
  return { mean: mix(from.mean, to.mean), variance: mix(from.variance, to.variance) };
}

/** Each layer behind layers that run on their blended statistics. */
function layerwiseReference(prior: number, samples = SAMPLES): Statistics[] {
  let x: ArrayLike<number> = data.slice(0, samples * WIDTH);
  return blocks.map((block, i) => {
    const z = denseReference(x, block);
    const statistics = blended(old[i]!, momentsReference(z, block.units), prior, samples);
    x = bnReluReference(z, block, statistics);
    return statistics;
  });
}

/** PreciseBN, blended when all is measured. */
const batchReference = (prior: number) =>
  preciseReference(batches, blocks).map((fresh, i) => blended(old[i]!, fresh, prior));

function expectHeld(model: tfl.LayersModel, expected: readonly Statistics[]): void {
  expected.forEach(({ mean, variance }, i) => {
    expectClose(held(model, `bn${i}`).mean, mean, 1e-5, `mean of bn${i}`);
    expectClose(held(model, `bn${i}`).variance, variance, 1e-5, `variance of bn${i}`);
  });
}

describe.each(modes)("mode '%s'", (mode) => {
  const reference = mode === 'batch' ? batchReference : layerwiseReference;

  test('blends with the old statistics by samples', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.01, max: 1000, noNaN: true }), async (prior) => {
        const model = makeSequential(blocks);
        const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode, prior }));
        expectHeld(model, reference(prior));
        expect(report).toMatchObject({ prior, samples: SAMPLES });
        model.dispose();
      }),
      { numRuns: 10 },
    );
  });

  test('the report tells the shift to what was written', async () => {
    const model = makeSequential(blocks);
    const { statistics, report } = await withBatches(batches, WIDTH, (xs) =>
      estimateStatistics(model, xs, { mode, prior: 20 }),
    );
    reference(20).forEach(({ mean, variance }, i) => {
      const means = Array.from(mean, (m) => Math.abs(m - 3) / 3);
      const logs = Array.from(variance, (v) => Math.abs(Math.log(v / 9)));
      const { shift } = report.layers[i]!;
      expectClose(
        [shift!.mean.max, shift!.variance.max],
        [Math.max(...means), Math.max(...logs)],
        1e-5,
        'shift',
      );
      expect(statistics[i]!.count).toBe(SAMPLES);
    });
    model.dispose();
  });

  test('a prior of 0 writes what the estimators say, bit by bit', async () => {
    const model = makeSequential(blocks);
    const made: Estimator[] = [];
    const estimator = () => {
      made.push(populationVariance());
      return made.at(-1)!;
    };
    await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode, prior: 0, estimator }));
    blocks.forEach((_, i) => {
      const { mean, variance } = made[i]!.estimate();
      const { mean: heldMean, variance: heldVariance } = held(model, `bn${i}`);
      expect([heldMean, heldVariance]).toEqual([Float32Array.from(mean), Float32Array.from(variance)]);
    });
    model.dispose();
  });

  test.each([1e9, Number.MAX_VALUE])('a prior of %d leaves the old statistics', async (prior) => {
    const model = makeSequential(blocks);
    await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode, prior }));
    old.forEach(({ mean, variance }, i) => {
      expectClose(held(model, `bn${i}`).mean, mean, 1e-6);
      expectClose(held(model, `bn${i}`).variance, variance, 1e-6);
    });
    model.dispose();
  });

  test('only batches that were taken in count as samples', async () => {
    const model = makeSequential(blocks);
    const bad = batches[1]!.slice().fill(Number.NaN);
    await withBatches([batches[0]!, bad, ...batches.slice(1)], WIDTH, (xs) =>
      recalibrate(model, xs, { mode, prior: 20, nonFinite: 'skip' }),
    );
    expectHeld(model, reference(20));
    model.dispose();
  });

  test('old statistics that are not finite: an error that names the layer, without a prior none', async () => {
    const model = makeSequential(blocks);
    const { gamma, beta, units } = blocks[1]!;
    const variance = new Float32Array(units).fill(1);
    variance[2] = Number.NaN;
    setWeights(model.getLayer('bn1'), [gamma, beta, new Float32Array(units), variance]);
    const before = weightsOf(model);
    await withBatches(batches, WIDTH, async (xs) => {
      const { numTensors } = tf.memory();
      const error = await recalibrate(model, xs, { mode, prior: 8 }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StatisticsError);
      expect(String(error)).toMatch(
        /Layer 'bn1': expected old statistics.*variance NaN for channel 2.*prior: 0/,
      );
      expect(weightsOf(model)).toEqual(before);
      expect(tf.memory().numTensors).toBe(numTensors);
      await recalibrate(model, xs, { mode, prior: 0 });
      expect(weightsOf(model)).not.toEqual(before);
    });
    model.dispose();
  });

  test('an abort at the last batch leaves the model bit by bit', async () => {
    const model = makeSequential(blocks);
    const before = weightsOf(model);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ pass, passes, samples }: { pass: number; passes: number; samples: number }) => {
      if (pass === passes && samples === SAMPLES) controller.abort(reason);
    };
    const options = { mode, prior: 8, signal: controller.signal, onProgress };
    await withBatches(batches, WIDTH, (xs) => expect(recalibrate(model, xs, options)).rejects.toBe(reason));
    expect(weightsOf(model)).toEqual(before);
    model.dispose();
  });

  test('leaves no tensor', async () => {
    const model = makeSequential(blocks);
    await withBatches(batches, WIDTH, (xs) =>
      expectNoLeaks(tf, () => recalibrate(model, xs, { mode, prior: 8 })),
    );
    model.dispose();
  });

  test('a layer that is never applied is left alone, whatever it holds', async () => {
    const model = tfl.sequential({ layers: [new OneOfTwo({ inputShape: [WIDTH] })] });
    const start = { mean: [0, 0, 0, 0, 0], variance: [1, 1, 1, 1, 1] };
    const broken = new Float32Array(WIDTH).fill(Number.NaN);
    const [used, idle] = (model.layers[0] as OneOfTwo).layers;
    setWeights(idle, [broken, broken, broken, broken]);
    await withBatches(batches, WIDTH, async (xs) => {
      const { statistics } = await estimateStatistics(model, xs, { mode, prior: 8 });
      expect(statistics.map(({ name, count }) => [name, count])).toEqual([
        ['used', SAMPLES],
        ['idle', 0],
      ]);
      // The estimate holds what the idle layer has, which is no reason to refuse it as a whole.
      applyStatistics(model, statistics);
      expect(idle.movingVariance.read().dataSync()).toEqual(broken);
      applyStatistics(
        model,
        statistics.map((own) =>
          own.name === 'used' ? { ...own, mean: start.mean, variance: start.variance } : own,
        ),
      );
      await recalibrate(model, xs, { mode, prior: 8 });
    });
    const expected = blended(start, momentsReference(data, WIDTH), 8);
    expectClose(used.movingVariance.read().dataSync(), expected.variance, 1e-5);
    expect(idle.movingVariance.read().dataSync()).toEqual(broken);
    model.dispose();
  });
});

test("mode 'layerwise' takes the samples asked for, and blends by these", async () => {
  const model = makeSequential(blocks);
  await withBatches(batches, WIDTH, (xs) =>
    recalibrate(model, xs, { mode: 'layerwise', samples: 21, prior: 7 }),
  );
  expectHeld(model, layerwiseReference(7, 21));
  model.dispose();
});

test('a layer that is applied twice has one set of statistics, which counts each sample once', async () => {
  const [shared, last] = makeBlocks(random, [WIDTH, WIDTH, 3]) as [Block, Block];
  const input = tfl.input({ shape: [WIDTH] });
  const norm = tfl.layers.batchNormalization({ epsilon: EPSILON, name: 'shared' });
  const dense = tfl.layers.dense({ units: WIDTH });
  const block = (x: tfl.SymbolicTensor) => tfl.layers.reLU().apply(norm.apply(x)) as tfl.SymbolicTensor;
  const twice = tfl.layers.add().apply([block(dense.apply(input) as tfl.SymbolicTensor), block(input)]);
  const head = tfl.layers.dense({ units: last.units });
  const after = tfl.layers.batchNormalization({ epsilon: EPSILON, name: 'after' });
  const outputs = after.apply(head.apply(twice)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs });
  setWeights(dense, [shared.kernel, shared.bias]);
  setWeights(head, [last.kernel, last.bias]);
  const start = { mean: new Float32Array(WIDTH).fill(2), variance: new Float32Array(WIDTH).fill(5) };
  setWeights(norm, [shared.gamma, shared.beta, start.mean, start.variance]);
  await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode: 'layerwise', prior: 20 }));

  const z = denseReference(data, shared);
  const seen = momentsReference([...z, ...data], WIDTH);
  const statistics = blended(start, seen, 20);
  expectClose(held(model, 'shared').mean, statistics.mean, 1e-5);
  expectClose(held(model, 'shared').variance, statistics.variance, 1e-5);
  const [left, right] = [z, Float64Array.from(data)].map((x) => bnReluReference(x, shared, statistics));
  const sum = left!.map((value, i) => value + right![i]!);
  const fresh = momentsReference(denseReference(sum, last), last.units);
  const initial = { mean: [0, 0, 0], variance: [1, 1, 1] };
  expectClose(held(model, 'after').variance, blended(initial, fresh, 20).variance, 1e-5);
  model.dispose();
});
