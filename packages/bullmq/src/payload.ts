// The messages in the queue: what they are, checked by whoever takes one out, and how large they may be.
import type { RecalibrationState } from '@rebatch/recalibrate/shards';
import { type MeanAndVariance, momentsFromJSON, momentsToJSON } from '@rebatch/stats';
import * as v from 'valibot';
import { PayloadError } from './errors.ts';

/** Of the messages: whoever serves a queue and whoever fills it are of releases with the same. */
export const VERSION = 2;

/** The most bytes of JSON that a message may have. */
export const LIMITS = {
  /** What is asked of one shard. */
  shard: 2 ** 12,
  /** What is the same for all shards of a round, with the statistics of the levels before. */
  round: 2 ** 28,
  /** What one shard gives. */
  result: 2 ** 25,
  /** The description of what to measure, which the caller gives. */
  task: 2 ** 20,
} as const;

/** What a worker says of a shard that it has measured. */
export interface ShardResult {
  /** As `measuredShardToJSON` gives it: `measuredShardFromJSON` checks it. */
  readonly shard: unknown;
  readonly remarks: readonly unknown[];
}

/** What a round comes to. */
export interface RoundResult {
  readonly state: RecalibrationState;
  /** Of its shards, in the order of the data. */
  readonly remarks: readonly unknown[];
}

const count = (least: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least));
const id = v.pipe(v.string(), v.regex(/^[\w.-]{1,128}$/));
const text = v.pipe(v.string(), v.maxLength(2 ** 26));

const shardSchema = v.strictObject({
  version: v.literal(VERSION),
  kind: v.literal('shard'),
  run: id,
  pass: count(1),
  first: count(0),
  batches: count(1),
});

const roundSchema = v.strictObject({
  version: v.literal(VERSION),
  kind: v.literal('round'),
  run: id,
  pass: count(1),
  /** How many shards there are. */
  shards: count(1),
  /** What the caller gave: whoever measures checks it. */
  task: v.unknown(),
  statistics: v.array(
    v.nullable(v.strictObject({ version: v.literal(1), count: v.number(), mean: text, variance: text })),
  ),
  skipped: v.array(count(0)),
  /** What the shards are added to; null where it is what the round before gave. `addShards` checks it. */
  state: v.unknown(),
  /** The job that gave it, else null. */
  previous: v.nullable(id),
});

/** One shard, as a job. */
export type ShardPayload = v.InferOutput<typeof shardSchema>;
/** The job that adds the shards of a pass up. */
export type RoundPayload = Omit<v.InferOutput<typeof roundSchema>, 'state'> & {
  readonly state: RecalibrationState | null;
};

/** @throws {PayloadError} unless `data` is what is asked of a shard. */
export const readShardPayload = (data: unknown): ShardPayload => read(shardSchema, data, 'a shard');

/** @throws {PayloadError} unless `data` is what is asked of a round. */
export const readRoundPayload = (data: unknown): RoundPayload =>
  read(roundSchema, data, 'a round') as RoundPayload;

function read<Schema extends v.GenericSchema>(
  schema: Schema,
  data: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, data);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new PayloadError(
    `Expected the message of ${what}, got one in which ${v.getDotPath(issue) ?? 'the whole'} is wrong: ${issue.message}. ` +
      'It was not enqueued by this release of Rebatch.',
  );
}

/** @throws {PayloadError} if `value` is larger as JSON than such a message may be. */
export function checkSize<T>(value: T, what: keyof typeof LIMITS, advice: string): T {
  const size = Buffer.byteLength(JSON.stringify(value));
  if (size <= LIMITS[what]) return value;
  throw new PayloadError(`Message (${what}): expected at most ${LIMITS[what]} bytes, got ${size}. ${advice}`);
}

/** The statistics of the levels before, as JSON. */
export function statisticsToJSON(all: readonly (MeanAndVariance | null)[]): RoundPayload['statistics'] {
  return all.map((one) => one && { ...momentsToJSON({ count: 1, mean: one.mean, variance: one.variance }) });
}

/** @throws {MomentsError} if they are damaged. */
export function statisticsFromJSON(all: RoundPayload['statistics']): (MeanAndVariance | null)[] {
  return all.map((one) => one && momentsFromJSON(one));
}

/** The names of jobs: the same for the same work, so that enqueuing twice is enqueuing once. */
export const roundId = (run: string, pass: number, next: number): string => `${run}-${pass}-${next}`;
export const shardId = (round: string, first: number): string => `${round}-${first}`;
