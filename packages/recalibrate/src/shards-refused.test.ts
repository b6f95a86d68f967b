// Shards, states and requests that do not fit: refused by what is wrong with them, and the model is as it was.
import { type EstimatorState, ema, populationVariance } from '@rebatch/estimators';
import '@tensorflow/tfjs-backend-cpu';
import { momentsToJSON } from '@rebatch/stats';
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
    [
      'a position before its totals',
      (s) => ({ ...s, next: 0 }),
      'expected next to be 1, after the batches of',
    ],
    [
      'a position behind its totals',
      (s) => ({ ...s, next: 3 }),
      'expected next to be 1, after the batches of',
    ],
    [
      'positions without a batch',
      (s) => ({ ...s, unread: 1 }),
      'expected next to be 2, after the batches of',
    ],
    ['broken positions without one', (s) => ({ ...s, unread: '0' }), 'expected unread to be an integer >= 0'],
    [
      'totals of other batches',
      (s) => ({ ...s, totals: [s.totals[0], {}] }),
      'expected totals to be samples',
    ],
    [
      'a pass that is over, with a position',
      (s) => ({ ...s, pass: 4, totals: [1, 2, 3].map(() => s.totals[0]), times: [1, 2, 3] }),
      'expected next to be 0, after the batches of its totals',
    ],
    [
      'an estimator that has seen nothing',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, estimator: populationVariance().toJSON() })) }),
      'State of site "bn0": expected an estimator that has seen 12 values, got 0',
    ],
    [
      'an estimator that has seen what was not tallied',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, applications: [], passes: [] })) }),
      'State of site "bn0": expected an estimator that has seen 0 values, got 12',
    ],
    [
      'passes of other applications',
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, passes: [] })) }),
      'State of site "bn0": expected passes of 12 values, got 0',
    ],
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
      (s) => ({ ...s, sites: s.sites.map((one) => ({ ...one, estimator: averageOf(one) })) }),
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
  /** Another estimator, which has seen as many values as the one of a site. */
  function averageOf({ estimator: { seen } }: RecalibrationState['sites'][number]): EstimatorState {
    return seen === null ? ema().toJSON() : { ...ema().toJSON(), batches: 1, average: seen! };
  }

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
      'it is damaged, or it is of another model or other data',
    ],
    [
      'of batches that are not in it',
      (s) => ({ ...s, measured: s.measured.map((b) => ({ ...b, index: 7 })) }),
      'it is damaged, or it is of another model or other data',
    ],
  ];
  test.each(shards)('a shard %s', async (_, change, message) => {
    const measure: MeasurePass = async function* (start) {
      for await (const shard of measuring()(start)) yield change(shard as MeasuredShard);
    };
    await expect(recalibrateFromShards(model, measure, { mode: 'layerwise' })).rejects.toThrow(message);
  });

  /** A shard of three batches in JSON, as far as it is damaged here. */
  interface Damaged {
    measured: {
      index: number;
      values: number[];
      seen: { site: number; moments: { count: number; mean: string; variance: string } }[];
    }[];
    skipped: number[];
    read: number;
    passes: number;
  }
  const damages: [string, (shard: Damaged) => unknown, string][] = [
    ['a batch less', (s) => s.measured.pop(), 'expected each batch from 0 to 2 once, in order, got 0, 1.'],
    ['no batch', (s) => s.measured.splice(0), 'expected each batch from 0 to 2 once, in order, got none.'],
    [
      'a batch twice',
      (s) => s.measured.splice(1, 1, s.measured[0]!),
      'expected each batch from 0 to 2 once, in order, got 0, 0, 2.',
    ],
    [
      'batches in another order',
      (s) => s.measured.reverse(),
      'expected each batch from 0 to 2 once, in order, got 2, 1, 0.',
    ],
    [
      'a batch that is left out as well',
      (s) => s.skipped.push(1),
      'each batch from 0 to 2 but for 1 once, in order, got 0, 1, 2.',
    ],
    [
      'what is left out elsewhere',
      (s) => s.skipped.push(3),
      'only batches from 0 to 2 to be left out, got batch 3.',
    ],
    ['fewer read', (s) => (s.read = 2), 'each batch from 0 to 1 once, in order, got 0, 1, 2.'],
    ['more read than there are', (s) => (s.read = 4), 'as many of them read at most, got 4 of 3.'],
    [
      'a layer less',
      (s) => s.measured[0]!.seen.shift(),
      "expected 5 values per channel of layer 'bn0' in batch 0, got 0.",
    ],
    [
      'a layer twice',
      (s) => s.measured[1]!.seen.push(s.measured[1]!.seen[2]!),
      "layer 'bn2' in batch 1, got 8.",
    ],
    ['another layer', (s) => (s.measured[0]!.seen[0]!.site = 1), "of layer 'bn0' in batch 0, got 0."],
    [
      'other counts',
      (s) => (s.measured[2]!.seen[1]!.moments.count = 1e9),
      "layer 'bn1' in batch 2, got 1000000000.",
    ],
    ['values of fewer layers', (s) => s.measured[0]!.values.pop(), 'expected 3 sites in batch 0, got 2.'],
    [
      'fewer channels',
      (s) =>
        Object.assign(s.measured[0]!.seen[0]!.moments, momentsToJSON({ count: 5, mean: ONE, variance: ONE })),
      "expected 4 channels of layer 'bn0' in batch 0, got 1.",
    ],
  ];
  const ONE = Float64Array.of(1);
  test.each(damages)('a damaged shard, with %s, and the sum is as it was', async (_, damage, message) => {
    const measurer = shardMeasurer(model);
    const request = { first: 0, batches: 3, pass: 1, statistics: [null, null, null], skipped: [] };
    const shard = measuredShardToJSON(await measurer.measure(request, makeBatches([5, 4, 3])));
    const damaged = throughJSON(shard) as unknown as Damaged;
    damage(damaged);
    let sum: RecalibrationState | undefined;
    const measure: MeasurePass = async function* ({ state }) {
      const before = state();
      try {
        yield measuredShardFromJSON(throughJSON(damaged));
      } finally {
        sum = state();
        expect(sum).toEqual(before);
      }
    };
    const run = recalibrateFromShards(model, measure);
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toBeInstanceOf(ShardError);
    expect(sum?.next).toBe(0);
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
    const nothing = measurer.measure(null as never, batches());
    await expect(nothing).rejects.toThrow(ShardError);
    await expect(nothing).rejects.toThrow('expected a request, got null');
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
    [{ version: 1 }, 'expected version to be 2, got 1'],
    [{ read: undefined }, 'expected read to be an integer >= 0, got undefined'],
    [{ measured: [{ index: 0, samples: 1, values: 4 }] }, 'expected values to be a list, got 4'],
    [
      { measured: [{ index: 0, samples: 1, values: [-4] }] },
      'expected the values of a site to be an integer >= 0',
    ],
    [{ first: '0' }, 'expected first to be an integer >= 0, got "0"'],
    [{ measured: {} }, 'expected measured to be a list'],
    [{ measured: [null] }, 'expected a batch to be an object, got null'],
    [{ measured: [{ index: 0, samples: 0, seen: [] }] }, 'expected samples to be an integer >= 1, got 0'],
    [
      { measured: [{ index: 0, samples: 1, values: [], seen: [{ site: 0, index: 0, moments: {} }] }] },
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
