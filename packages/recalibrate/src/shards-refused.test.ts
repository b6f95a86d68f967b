// Shards, states and requests that do not fit: refused by what is wrong with them, and the model is as it was.
import { ema } from '@rebatch/estimators';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { captureStatistics } from './index.ts';
import { chain, makeBatches, measuringWith, throughJSON } from './shards.test.support.ts';
import {
  type MeasuredShard,
  type MeasurePass,
  measuredShardFromJSON,
  measuredShardToJSON,
  type RecalibrationState,
  recalibrateFromShards,
  ShardError,
  type ShardRequest,
  shardMeasurer,
} from './shards.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('what does not fit is refused, and the model is as it was', () => {
  let model: tfl.LayersModel;
  let good: RecalibrationState;
  const batches = () => makeBatches([4, 4, 4]);
  const measuring = () => measuringWith([shardMeasurer(model, { mode: 'layerwise' })], batches(), 1);
  const from = (state: unknown, of = model) =>
    recalibrateFromShards(of, measuring(), { mode: 'layerwise' }, { state });

  beforeAll(async () => {
    model = chain();
    const stop = (state: () => RecalibrationState) => {
      good = throughJSON(state());
      if (good.pass === 2 && good.next === 1) throw new Error('far enough');
    };
    await expect(
      recalibrateFromShards(model, measuring(), { mode: 'layerwise' }, { onState: stop }),
    ).rejects.toThrow('far enough');
  });

  const wrong: [string, (state: RecalibrationState) => unknown, string | RegExp][] = [
    ['no object', () => 'state', 'expected the whole to be an object, got "state"'],
    ['a newer version', (s) => ({ ...s, version: 2 }), 'expected version to be 1, got 2'],
    [
      'another mode',
      (s) => ({ ...s, mode: 'batch' }),
      "of another run: expected mode 'layerwise', got 'batch'",
    ],
    ['a pass that there is not', (s) => ({ ...s, pass: 9 }), 'expected pass to be a pass of these, got 9'],
    ['a broken position', (s) => ({ ...s, next: -1 }), 'expected next to be an integer >= 0, got -1'],
    ['totals cut short', (s) => ({ ...s, totals: [] }), 'expected totals to be a list of 2, got 0'],
    ['broken totals', (s) => ({ ...s, totals: [{}, {}] }), 'expected totals to be samples and batches'],
    ['broken times', (s) => ({ ...s, times: ['1', 2] }), 'expected times to be milliseconds'],
    ['broken inputs', (s) => ({ ...s, inputs: [{}] }), 'expected inputs to be what the model was given'],
    ['broken positions', (s) => ({ ...s, skipped: [null] }), 'expected skipped to be positions of batches'],
    ['broken statistics', (s) => ({ ...s, held: [{ site: 0 }] }), 'expected held to be moments of sites'],
    ['no sites', (s) => ({ ...s, sites: [] }), 'expected sites to be a list'],
    ['fewer sites', (s) => ({ ...s, sites: s.sites.slice(1) }), 'of another model: expected 3 sites, got 2'],
    [
      'sites of another name',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, name: 'other' })) }),
      'State of site "bn0": it is of another model: expected name "bn0", got "other"',
    ],
    [
      'other channels',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, channels: 5 })) }),
      'State of site "bn0": it is of another model: expected channels 4, got 5',
    ],
    [
      'an estimator that there is not',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, estimator: { kind: '__proto__' } })) }),
      'State of site "bn0": estimatorFromJSON: expected kind to be one of',
    ],
    [
      'another estimator',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, estimator: ema().toJSON() })) }),
      "of another run: expected estimator 'populationVariance', got 'ema'",
    ],
    [
      'no tally',
      (s) => ({
        ...s,
        sites: s.sites.map((one) => ({
          ...one,
          applications: one.applications.map((item) => ({ ...item, tally: 1 })),
        })),
      }),
      'State of site "bn0": expected a tally, got 1',
    ],
    [
      'an application that there is not',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, applications: [] })) }),
      'State of site "bn0": expected application 0 of a pass, got none',
    ],
    [
      'damaged moments',
      (s) => ({
        ...s,
        sites: s.sites.map((one) => ({
          ...one,
          applications: one.applications.map((item) => ({
            ...item,
            tally: { ...item.tally, moments: { ...item.tally.moments, mean: 'AAAA' } },
          })),
        })),
      }),
      'State of site "bn0": momentsFromJSON: mean holds 3 bytes',
    ],
  ];
  test.each(wrong)('%s', async (_, change, message) => {
    const before = await captureStatistics(model);
    const broken = from(change(good));
    await expect(broken).rejects.toThrow(message);
    await expect(from(change(good))).rejects.toBeInstanceOf(ShardError);
    expect(await captureStatistics(model)).toEqual(before);
  });

  const shards: [string, (shard: MeasuredShard) => MeasuredShard, string][] = [
    [
      'of another position',
      (s) => ({ ...s, first: 2 }),
      'Expected the shard from batch 0 on of pass 1, got that from batch 2',
    ],
    ['of another pass', (s) => ({ ...s, pass: 2 }), 'got that from batch 0 on of pass 2'],
    [
      'of sites that there are not',
      (s) => ({
        ...s,
        measured: s.measured.map((b) => ({ ...b, seen: b.seen.map((one) => ({ ...one, site: 9 })) })),
      }),
      'it is of another model or other data',
    ],
    [
      'of batches that are not in it',
      (s) => ({ ...s, measured: s.measured.map((b) => ({ ...b, index: 7 })) }),
      'it is of another model or other data',
    ],
  ];
  test.each(shards)('a shard %s', async (_, change, message) => {
    const measure: MeasurePass = async function* (start) {
      for await (const shard of measuring()(start)) yield change(shard as MeasuredShard);
    };
    await expect(recalibrateFromShards(model, measure, { mode: 'layerwise' })).rejects.toThrow(message);
  });

  test('shards in which the model was applied more or less often', async () => {
    const measure: MeasurePass = async function* (start) {
      for await (const shard of measuring()(start)) {
        const one = shard as MeasuredShard;
        yield { ...one, applications: one.applications + one.first };
      }
    };
    const run = recalibrateFromShards(model, measure, { mode: 'layerwise' });
    await expect(run).rejects.toThrow('were applied 2 times, those before 1 times');
  });

  test('no shards, a number of samples, a request that does not fit', async () => {
    const none: MeasurePass = async function* () {};
    await expect(recalibrateFromShards(model, none)).rejects.toThrow(
      'Expected at least one batch of data, got none',
    );
    await expect(recalibrateFromShards(model, none, { samples: 5 as never })).rejects.toThrow(
      "expected 'all' or 'auto' where batches are measured elsewhere, got 5",
    );
    const measurer = shardMeasurer(model, { mode: 'layerwise' });
    const request = { first: 0, batches: 1, pass: 1, statistics: [null, null, null], skipped: [] };
    const ask = (change: object) => measurer.measure({ ...request, ...change } as ShardRequest, batches());
    await expect(ask({ pass: 4 })).rejects.toThrow('expected a pass from 1 to 3 of model');
    await expect(ask({ first: -1 })).rejects.toThrow('expected the position of its first batch, got -1');
    await expect(ask({ batches: 0 })).rejects.toThrow('expected one batch or more, got 0');
    await expect(ask({ statistics: [] })).rejects.toThrow(
      'expected statistics or null for each of 3 sites, got 0',
    );
    await expect(ask({ statistics: [{ mean: [1], variance: [1] }, null, null] })).rejects.toThrow(
      'expected usable statistics of site \'bn0\', got "1 means and 1 variances for 4 channels"',
    );
    await expect(ask({ skipped: undefined })).rejects.toThrow(
      'expected a list of batches that were left out',
    );
  });

  test('a call that is aborted while it waits for a shard', async () => {
    const controller = new AbortController();
    const never: MeasurePass = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    });
    const waiting = recalibrateFromShards(model, never, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

test('JSON of a shard that was changed is refused', async () => {
  const shard = await shardMeasurer(chain()).measure(
    { first: 0, batches: 1, pass: 1, statistics: [null, null, null], skipped: [] },
    makeBatches([4]),
  );
  const json = throughJSON(measuredShardToJSON(shard)) as never as Record<string, never>;
  const changes: [object, string][] = [
    [{ version: 2 }, 'expected version to be 1, got 2'],
    [{ first: '0' }, 'expected first to be an integer >= 0, got "0"'],
    [{ measured: {} }, 'expected measured to be a list'],
    [{ measured: [null] }, 'expected a batch to be an object, got null'],
    [{ measured: [{ index: 0, samples: 0, seen: [] }] }, 'expected samples to be an integer >= 1, got 0'],
    [
      { measured: [{ index: 0, samples: 1, seen: [{ site: 0, index: 0, moments: {} }] }] },
      'expected moments to be as',
    ],
    [{ inputs: [{ name: 1 }] }, 'expected inputs to be what the model was given'],
    [{ skipped: [0.5] }, 'expected a batch that was left out to be an integer >= 0, got 0.5'],
  ];
  for (const [change, message] of changes) {
    expect(() => measuredShardFromJSON({ ...json, ...change })).toThrow(message);
    expect(() => measuredShardFromJSON({ ...json, ...change })).toThrow(ShardError);
  }
  expect(() => measuredShardFromJSON([])).toThrow('expected the whole to be an object');
});
