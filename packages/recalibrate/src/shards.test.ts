// Shards measured apart add up to the same bits as a recalibration in one go: whoever measured them, in whatever order, and
// wherever the sum was stopped and went on.
import { ema, meanOfBatchVariance } from '@rebatch/estimators';
import { batchNormalization } from '@rebatch/layers';
import { expectNoLeaks } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { captureStatistics, type StatisticsEstimate } from './index.ts';
import { nodeSpec, randomModel } from './layerwise/random-models.test.support.ts';
import { estimateStatistics, recalibrate } from './recalibrate.ts';
import type { RecalibrationReport } from './report.ts';
import { chain, makeBatches, measuringWith, requestsOf, throughJSON } from './shards.test.support.ts';
import {
  addShards,
  estimateFromShards,
  type MeasuredShard,
  type MeasurePass,
  type MeasuringOptions,
  measuredShardFromJSON,
  measuredShardToJSON,
  type RecalibrationState,
  recalibrateFromShards,
  ShardError,
  shardMeasurer,
} from './shards.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Numbers of a report but for times. */
function timeless(report: RecalibrationReport) {
  return {
    ...report,
    milliseconds: 0,
    layers: report.layers.map((layer) => ({ ...layer, milliseconds: 0 })),
  };
}

test('random graphs: the same bits as in one go, in both modes, with what is kept and without', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(nodeSpec, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 2, max: 7 }), { minLength: 2, maxLength: 5 }),
      fc.record({
        mode: fc.constantFrom('batch' as const, 'layerwise' as const),
        activationBytes: fc.constantFrom(0, 300, Number.POSITIVE_INFINITY),
      }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 2 }),
      async (specs, sizes, options, size, count) => {
        const model = randomModel(specs, 1);
        const batches = makeBatches(sizes);
        const { mode } = options;
        const before = tf.memory().numTensors;
        const expected = await estimateStatistics(model, batches, { mode, prior: 3 });
        const measurers = Array.from({ length: count }, () => shardMeasurer(model, options));
        const got = await estimateFromShards(model, measuringWith(measurers, batches, size), {
          mode,
          prior: 3,
        });
        expect(got.statistics).toEqual(expected.statistics);
        expect(timeless(got.report)).toEqual(timeless(expected.report));
        for (const measurer of measurers) measurer.dispose();
        expect(tf.memory().numTensors).toBe(before);
        tf.dispose(batches);
        model.dispose();
      },
    ),
    { numRuns: 30 },
  );
});

/** One layer that is applied to its own output, so that it is measured in two passes. */
function tangled(): tfl.LayersModel {
  const input = tfl.input({ shape: [4] });
  const kernelInitializer = tfl.initializers.randomNormal({ seed: 1 });
  const [dense, norm] = [tfl.layers.dense({ units: 4, kernelInitializer }), tfl.layers.batchNormalization()];
  const step = (x: tfl.SymbolicTensor) => norm.apply(dense.apply(x)) as tfl.SymbolicTensor;
  return tfl.model({ inputs: input, outputs: step(step(step(input))) });
}

/** Sequences of which 0 fills up, and two layers that do not look at what is filled up. */
function masked(): tfl.LayersModel {
  const layers = [tfl.layers.masking({ maskValue: 0, inputShape: [3, 2] }), batchNormalization()];
  return tfl.sequential({ layers: [...layers, tfl.layers.reLU(), batchNormalization()] });
}

test('every genuine shard and state is taken: layers applied again, masks, what is left out, what is not there', async () => {
  const kinds = {
    chain: { make: chain, shape: [4] },
    tangled: { make: tangled, shape: [4] },
    masked: { make: masked, shape: [3, 2] },
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.values(kinds)),
      fc.array(fc.constantFrom('good', 'good', 'NaN', 'zeros'), { minLength: 1, maxLength: 5 }),
      fc.record({
        mode: fc.constantFrom('batch' as const, 'layerwise' as const),
        nonFinite: fc.constant('skip' as const),
      }),
      fc.record({ size: fc.integer({ min: 1, max: 3 }), more: fc.integer({ min: 0, max: 3 }) }),
      async ({ make, shape }, contents, options, { size, more }) => {
        const model = make();
        const batches = contents.map((content, i) => {
          const [samples, seed] = [3 + i, 7 + i];
          if (content === 'NaN') return tf.fill([samples, ...shape], Number.NaN);
          if (content === 'zeros') return tf.zeros([samples, ...shape]);
          return tf.randomNormal([samples, ...shape], 3, 1, 'float32', seed);
        });
        const measurer = shardMeasurer(model, options);
        // Positions behind the data have no batches, and every state is one to go on from.
        const measure: MeasurePass = async function* (start) {
          let state = throughJSON(start.state());
          const requests = [...requestsOf(start, batches.length + more, size)];
          for (const request of requests) {
            const { first, batches: count } = request;
            const shard = await measurer.measure(request, batches.slice(first, first + count));
            const came = measuredShardFromJSON(throughJSON(measuredShardToJSON(shard)));
            state = throughJSON(await addShards(state, [came], request === requests.at(-1)));
            yield state;
          }
        };
        const outcome = (run: Promise<StatisticsEstimate>) =>
          run.then(
            ({ statistics, report: { skipped, samples } }) => ({ statistics, skipped, samples }),
            (error: Error) => error.name,
          );
        const expected = await outcome(estimateStatistics(model, batches, options));
        expect(await outcome(estimateFromShards(model, measure, options))).toEqual(expected);
        measurer.dispose();
        model.dispose();
        tf.dispose(batches);
      },
    ),
    { numRuns: 60 },
  );
});

const CASES: [string, () => tfl.LayersModel, MeasuringOptions & { mode: 'batch' | 'layerwise' }][] = [
  ['batch', chain, { mode: 'batch' }],
  ['layerwise', chain, { mode: 'layerwise' }],
  ['layerwise, a layer behind itself', tangled, { mode: 'layerwise' }],
  ['layerwise, nothing kept', tangled, { mode: 'layerwise', activationBytes: 0 }],
];

describe.each(CASES)('a sum that is stopped and goes on: %s', (_, make, { mode, ...measuring }) => {
  test('anywhere, in a process of its own, to the same bits, with an estimator that depends on the order', async () => {
    const model = make();
    const batches = makeBatches([5, 5, 5, 5, 2]);
    const options = { mode, prior: 2, estimator: () => ema({ decay: 0.9 }) };
    const expected = await estimateStatistics(model, batches, options);
    const states: RecalibrationState[] = [];
    const run = async (state: unknown, stopAfter: number) => {
      const measurer = shardMeasurer(model, { mode, ...measuring });
      let left = stopAfter;
      const onState = (now: () => RecalibrationState) => {
        states.push(throughJSON(now()));
        left -= 1;
        if (left === 0) throw new Error('stopped');
      };
      try {
        return await estimateFromShards(model, measuringWith([measurer], batches, 1), options, {
          state,
          onState,
        });
      } catch (error) {
        if ((error as Error).message === 'stopped') return undefined;
        throw error;
      } finally {
        measurer.dispose();
      }
    };
    const whole = await run(undefined, 0);
    expect(whole?.statistics).toEqual(expected.statistics);
    const count = states.length;
    expect(count).toBeGreaterThan(5);
    for (let stop = 1; stop <= count; stop++) {
      states.length = 0;
      expect(await run(undefined, stop)).toBeUndefined();
      const rest = await run(states.at(-1), 0);
      expect(rest?.statistics, `stopped after ${stop} of ${count}`).toEqual(expected.statistics);
      expect(timeless(rest!.report)).toEqual(timeless(expected.report));
    }
  });

  test('on another machine, which has no model', async () => {
    const model = make();
    const batches = makeBatches([5, 4, 3]);
    const measurer = shardMeasurer(model, { mode, ...measuring });
    const measure: MeasurePass = async function* (start) {
      const shards: MeasuredShard[] = [];
      for await (const shard of measuringWith([measurer], batches, 1)(start))
        shards.push(shard as MeasuredShard);
      const state = throughJSON(start.state());
      const half = throughJSON(await addShards(state, shards.slice(0, 1), false));
      yield throughJSON(await addShards(half, shards.slice(1), true));
    };
    const got = await estimateFromShards(model, measure, { mode, estimator: meanOfBatchVariance });
    const expected = await estimateStatistics(model, batches, { mode, estimator: meanOfBatchVariance });
    expect(got.statistics).toEqual(expected.statistics);
    expect(timeless(got.report)).toEqual(timeless(expected.report));
    measurer.dispose();
  });
});

test.each<[unknown, RegExp]>([
  [() => [], /got one that returns \[\]\./],
  [async () => [], /got one that returns a promise/i],
  [() => undefined, /got one that returns undefined\./],
])('what gives no async iterable is refused by name', async (measure, message) => {
  const model = chain();
  const refused = recalibrateFromShards(model, measure as MeasurePass);
  await expect(refused).rejects.toThrow(ShardError);
  await expect(refused).rejects.toThrow(/an async function\* that yields shards/);
  await expect(refused).rejects.toThrow(message);
  model.dispose();
});

test("samples: 'auto' ends a pass at the first batch that is enough", async () => {
  const model = chain(1);
  const batches = makeBatches(new Array(20).fill(64));
  const options = { samples: 'auto', tolerance: 0.05 } as const;
  const { report } = await estimateFromShards(
    model,
    measuringWith([shardMeasurer(model)], batches, 3),
    options,
  );
  expect(report.tolerance?.met).toBe(true);
  const fewer = await estimateStatistics(model, batches.slice(0, report.batches - 1), options);
  const same = await estimateStatistics(model, batches.slice(0, report.batches), options);
  expect(fewer.report.tolerance?.met).toBe(false);
  expect(timeless(report)).toEqual(timeless(same.report));
});

test('batches that are not finite are left out everywhere once they are', async () => {
  const model = chain();
  const batches = makeBatches([4, 4, 4]);
  batches[1] = tf.fill([4, 4], Number.NaN);
  const options = { mode: 'layerwise', nonFinite: 'skip' } as const;
  const expected = await estimateStatistics(model, batches, options);
  const got = await estimateFromShards(
    model,
    measuringWith([shardMeasurer(model, options)], batches, 1),
    options,
  );
  expect(got.report.skipped).toBe(1);
  expect(got.statistics).toEqual(expected.statistics);
  const throwing = estimateFromShards(model, measuringWith([shardMeasurer(model)], batches, 1));
  await expect(throwing).rejects.toThrow("Layer 'bn0', batch 1: expected finite activations");
});

test.each(['batch', 'layerwise'] as const)(
  'shards of which nothing can be read change nothing: %s',
  async (mode) => {
    const model = chain();
    const batches = makeBatches([4, 5]);
    const expected = await estimateStatistics(model, batches, { mode });
    const measurer = shardMeasurer(model, { mode });
    // The first of three, and with it the first that anybody measures.
    const measure: MeasurePass = async function* ({ next: _, state: __, ...pass }) {
      for (const first of [0, 1, 2]) {
        yield await measurer.measure(
          { ...pass, first, batches: 1 },
          batches.slice(Math.max(0, first - 1), first),
        );
      }
    };
    const got = await estimateFromShards(model, measure, { mode });
    expect(got.statistics).toEqual(expected.statistics);
  },
);

test('the model is written to once, at the end, and hears of progress', async () => {
  const [model, twin] = [chain(), chain()];
  const batches = makeBatches([8, 8]);
  await recalibrate(twin, batches, { mode: 'layerwise' });
  const measurer = shardMeasurer(model, { mode: 'layerwise' });
  const heard: unknown[] = [];
  const before = await captureStatistics(model);
  await recalibrateFromShards(
    model,
    measuringWith([measurer], batches, 1),
    {
      mode: 'layerwise',
      onProgress: ({ pass, passes, batches, samples, expectedSamples }) =>
        heard.push([pass, passes, batches, samples, expectedSamples]),
    },
    { expectedSamples: 16, onState: () => {} },
  );
  expect(heard.slice(0, 3)).toEqual([
    [1, 3, 1, 8, 16],
    [1, 3, 2, 16, 16],
    [2, 3, 1, 8, 16],
  ]);
  expect(await captureStatistics(model)).toEqual(await captureStatistics(twin));
  expect(await captureStatistics(model)).not.toEqual(before);
});

test('nothing is left on the device after a failure', async () => {
  const model = chain();
  const batches = makeBatches([4, 4]);
  await expectNoLeaks(tf, async () => {
    const measurer = shardMeasurer(model, { mode: 'layerwise' });
    const request = { batches: 1, pass: 1, statistics: [null, null, null], skipped: [] };
    await measurer.measure({ ...request, first: 0 }, [batches[0]!]);
    const wrong = tf.zeros([4, 3]);
    await expect(measurer.measure({ ...request, first: 1 }, [wrong])).rejects.toThrow('expected shape');
    wrong.dispose();
    measurer.dispose();
  });
});
