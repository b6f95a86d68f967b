// One measurer that is asked for many shards: again, at the same time, for several recalibrations.
import { expectNoLeaks } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { estimateStatistics } from './recalibrate.ts';
import { chain, makeBatches, requestsOf } from './shards.test.support.ts';
import {
  estimateFromShards,
  type MeasurePass,
  type ShardMeasurer,
  type ShardRequest,
  shardMeasurer,
} from './shards.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test('a shard that is measured twice in a pass gives the same twice', async () => {
  const model = chain();
  const batches = makeBatches([4]);
  const measurer = shardMeasurer(model, { mode: 'layerwise' });
  const ask = (pass: number, known: readonly number[]): ShardRequest => ({
    ...{ pass, first: 7, batches: 1, skipped: [] },
    statistics: [0, 1, 2].map((site) =>
      known.includes(site) ? { mean: new Float64Array(4), variance: new Float64Array(4).fill(1) } : null,
    ),
  });
  await measurer.measure(ask(1, []), batches);
  const once = await measurer.measure(ask(2, [0]), batches);
  expect(once.inputs).toEqual([]);
  const again = await measurer.measure(ask(2, [0]), batches);
  expect(again.measured).toEqual(once.measured);
  expect(again.measured[0]).toMatchObject({ index: 7, samples: 4, seen: [{ site: 1, index: 0 }] });
  measurer.dispose();
});

test('shards without a sample take nothing from those that are measured at the same time', async () => {
  const model = chain();
  const batches = makeBatches([5, 4, 6]);
  const { statistics: expected } = await estimateStatistics(model, batches, { mode: 'layerwise' });
  const measurer = shardMeasurer(model, { mode: 'layerwise' });
  // All of the first two was left out.
  const shards = [[], [], ...batches.map((batch) => [batch])];
  const atOnce: MeasurePass = async function* ({ pass, statistics, skipped }) {
    const measured = shards.map((data, first) =>
      measurer.measure({ pass, statistics, skipped, first, batches: 1 }, data),
    );
    yield* await Promise.all(measured);
  };
  const { statistics, report } = await estimateFromShards(model, atOnce, { mode: 'layerwise' });
  expect(statistics).toEqual(expected);
  expect(report.samples).toBe(15);
  measurer.dispose();
  tf.dispose(batches);
  model.dispose();
});

describe('one measurer for several recalibrations', () => {
  const mode = 'layerwise' as const;
  /** Of all batches, in shards of so many as each pass says. */
  const inShards = (
    model: tfl.LayersModel,
    measurer: ShardMeasurer,
    batches: readonly tf.Tensor[],
    size: (pass: number) => number,
    between: (request: ShardRequest) => void = () => {},
  ) =>
    estimateFromShards(
      model,
      async function* (start) {
        for (const request of requestsOf(start, batches.length, size(start.pass))) {
          yield await measurer.measure(
            request,
            batches.slice(request.first, request.first + request.batches),
          );
          between(request);
        }
      },
      { mode },
    );
  const prepare = () => {
    const model = chain();
    const [some, others] = [makeBatches([4, 4, 4, 4, 4]), makeBatches([3, 3, 3, 3])];
    return { model, some, others, measurer: shardMeasurer(model, { mode }) };
  };

  test('at once: each gets what it would get alone, and nothing is left', async () => {
    const { model, some, others, measurer } = prepare();
    const alone = [
      (await estimateStatistics(model, some, { mode })).statistics,
      (await estimateStatistics(model, others, { mode })).statistics,
    ];
    await expectNoLeaks(tf, async () => {
      const both = await Promise.all([
        inShards(model, measurer, some, () => 2),
        inShards(model, measurer, others, () => 2),
      ]);
      expect(both.map(({ statistics }) => statistics)).toEqual(alone);
      measurer.dispose();
    });
    tf.dispose([some, others]);
    model.dispose();
  });

  test.each([
    [2, 3, 1],
    [3, 2, 5],
    [1, 5, 2],
  ])('cut otherwise in each pass: %i, %i and %i batches', async (...sizes) => {
    const { model, some, measurer } = prepare();
    const { statistics } = await estimateStatistics(model, some, { mode });
    const got = await inShards(model, measurer, some, (pass) => sizes[pass - 1]!);
    expect(got.statistics).toEqual(statistics);
    measurer.dispose();
    tf.dispose(some);
    model.dispose();
  });

  test('what is kept may be given up at any time', async () => {
    const { model, some, measurer } = prepare();
    const { statistics } = await estimateStatistics(model, some, { mode });
    await expectNoLeaks(tf, async () => {
      const got = await inShards(
        model,
        measurer,
        some,
        () => 2,
        ({ first }) => first === 2 && measurer.dispose(),
      );
      expect(got.statistics).toEqual(statistics);
      measurer.dispose();
    });
    tf.dispose(some);
    model.dispose();
  });
});
