// What the simulation starts from, measured here: a shard of MobileNet v2, its way through a real Redis, and adding it up.

import { enqueueShards, serveShards } from '@rebatch/bullmq';
import {
  addShards,
  estimateFromShards,
  type MeasuredShard,
  measuredShardFromJSON,
  measuredShardToJSON,
  type RecalibrationState,
  type ShardRequest,
  shardMeasurer,
} from '@rebatch/recalibrate/shards';
import type { RedisServer } from '@rebatch/redis';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { Redis } from 'ioredis';
import { randomTensor, useBackend } from '../backends.ts';
import { median } from '../measure.ts';
import { buildMobilenetV2 } from '../mobilenet-v2.ts';
import type { QueueCosts } from './simulate.ts';

/** Images of this size, in batches and shards of this many. */
export const SUBJECT = { side: 96, batch: 32, shardBatches: 4 } as const;
const SHARDS = 8;

/** Of both modes. In 'layerwise' a shard is measured once per level. */
export interface MeasuredCosts {
  readonly batch: QueueCosts;
  readonly layerwise: QueueCosts;
  readonly levels: number;
}

/** Processor time, which other programs of the machine do not lengthen. */
async function processorMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const requestOf = (sites: number, first: number): ShardRequest => ({
  ...{ pass: 1, first, batches: SUBJECT.shardBatches, skipped: [] },
  statistics: Array.from({ length: sites }, () => null),
});

/** Measures all of it. @param say told what comes next. */
export async function measureCosts(redis: RedisServer, say: (text: string) => void): Promise<MeasuredCosts> {
  await useBackend('wasm');
  const model = buildMobilenetV2(SUBJECT.side);
  const data = Array.from({ length: SUBJECT.shardBatches }, (_, i) =>
    randomTensor([SUBJECT.batch, SUBJECT.side, SUBJECT.side, 3], i + 1),
  );
  try {
    const sites = model.layers.filter((layer) => layer.getClassName() === 'BatchNormalization').length;
    say(`${SHARDS} shards in mode batch`);
    const measurer = shardMeasurer(model);
    const shards: MeasuredShard[] = [];
    const shardMs: number[] = [];
    const measure = async (at: number) => {
      shards[at] = await measurer.measure(requestOf(sites, at * SUBJECT.shardBatches), data);
    };
    await measure(0);
    for (let at = 0; at < SHARDS; at++) shardMs.push(await processorMs(() => measure(at)));
    measurer.dispose();

    say('adding them up');
    const texts = shards.map((shard) => JSON.stringify(measuredShardToJSON(shard)));
    const state = await firstState(model);
    const read = () => texts.map((text) => measuredShardFromJSON(JSON.parse(text)));
    const merging = await processorMs(async () => addShards(state, read(), true));

    say('their way through Redis');
    const redisMs = await redisTime(redis, 'all', model, shards);
    const small = await redisTime(redis, 'one', model, shards.map(ofOneSite));
    const roundMs = await roundTime(redis);

    say('all levels of a shard in mode layerwise');
    const { levels, perLevel, bytes } = await levelsOf(model, data);
    return {
      levels,
      batch: { redisMs, roundMs, shardMs, bytes: 2 * texts[0]!.length, mergeMs: merging / SHARDS },
      layerwise: {
        redisMs: small,
        roundMs,
        shardMs,
        levelMs: perLevel,
        bytes: 2 * bytes,
        mergeMs: merging / SHARDS / levels,
      },
    };
  } finally {
    tf.dispose(data);
    model.dispose();
  }
}

/** The state before any shard. */
async function firstState(model: tfl.LayersModel): Promise<RecalibrationState> {
  let state: RecalibrationState | undefined;
  const stop = new Error('enough');
  const peek = estimateFromShards(model, (start) => {
    state = start.state();
    throw stop;
  });
  await peek.catch((error: unknown) => {
    if (error !== stop) throw error;
  });
  return state!;
}

const placeOf = ({ url }: RedisServer, name: string) => ({ url, name });

/** A run whose shards are there already. */
async function queued(
  redis: RedisServer,
  name: string,
  model: tfl.LayersModel,
  shards: readonly MeasuredShard[],
): Promise<void> {
  const place = placeOf(redis, name);
  const { shardBatches } = SUBJECT;
  const worker = serveShards(place, async () => ({
    measure: async ({ first }) => shards[first / shardBatches]!,
    close() {},
  }));
  await worker.ready;
  const queue = enqueueShards(place, {
    id: name,
    task: {},
    batches: shards.length * shardBatches,
    shardBatches,
  });
  try {
    await estimateFromShards(model, queue.measure);
  } finally {
    await queue.close();
    await worker.close();
  }
}

/** About what a level gives: the site in the middle. */
const ofOneSite = (shard: MeasuredShard): MeasuredShard => ({
  ...shard,
  measured: shard.measured.map(({ seen, values, ...batch }) => {
    const one = seen[seen.length >> 1]!;
    const own = values.map((_, site) => (site === one.site ? one.moments.count : 0));
    return { ...batch, values: own, seen: [one] };
  }),
});

/** The processor time of Redis per shard. */
async function redisTime(
  redis: RedisServer,
  name: string,
  model: tfl.LayersModel,
  shards: readonly MeasuredShard[],
): Promise<number> {
  const client = new Redis(redis.url);
  const used = async () => {
    const info = await client.info('cpu');
    const seconds = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)![1]);
    return 1000 * (seconds('used_cpu_user') + seconds('used_cpu_sys'));
  };
  const before = await used();
  const runs = 3;
  for (let run = 0; run < runs; run++) await queued(redis, `${name}-${run}`, model, shards);
  const ms = (await used()) - before;
  client.disconnect();
  return ms / (runs * shards.length);
}

/** From one round to the next, with a single shard of a model that costs nothing: the least of several. */
async function roundTime(redis: RedisServer): Promise<number> {
  const layers = Array.from({ length: 6 }, (_, i) =>
    tfl.layers.batchNormalization(i === 0 ? { inputShape: [1] } : {}),
  );
  const model = tfl.sequential({ layers });
  const data = tf.ones([2, 1]);
  const place = { url: redis.url, name: 'rounds' };
  const measurer = shardMeasurer(model, { mode: 'layerwise' });
  const worker = serveShards(place, async () => ({
    measure: (request) => measurer.measure(request, [data]),
    close() {},
  }));
  await worker.ready;
  const queue = enqueueShards(place, { id: 'rounds', task: {}, batches: 1 });
  const ends: number[] = [];
  try {
    const onState = () => void ends.push(performance.now());
    await estimateFromShards(model, queue.measure, { mode: 'layerwise' }, { onState });
    return Math.min(
      ...ends
        .slice(1)
        .map((end, i) => end - ends[i]!)
        .filter((ms) => ms > 1),
    );
  } finally {
    await queue.close();
    await worker.close();
    measurer.dispose();
    data.dispose();
    model.dispose();
  }
}

/** Every level of one batch, as a worker measures it that has kept what it needs; for a shard. */
async function levelsOf(model: tfl.LayersModel, data: readonly tf.Tensor[]) {
  const { shardBatches } = SUBJECT;
  const measurer = shardMeasurer(model, { mode: 'layerwise' });
  const perLevel: number[] = [];
  const bytes: number[] = [];
  await estimateFromShards(
    model,
    async function* ({ next: _, state: __, ...pass }) {
      let shard: MeasuredShard | undefined;
      const ms = await processorMs(async () => {
        shard = await measurer.measure({ ...pass, first: 0, batches: 1 }, data.slice(0, 1));
      });
      perLevel.push(ms * shardBatches);
      bytes.push(JSON.stringify(measuredShardToJSON(shard!)).length * shardBatches);
      yield shard!;
    },
    { mode: 'layerwise' },
  );
  measurer.dispose();
  return { levels: perLevel.length, perLevel, bytes: median(bytes) };
}
