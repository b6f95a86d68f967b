// The estimators of a shard as a file.
import { createHash } from 'node:crypto';
import type { EstimatorState } from '@rebatch/estimators';
import type { ModelStatistics } from '@rebatch/models';
import * as v from 'valibot';
import type { BadSample } from './data/data.ts';
import type { LoadedModel } from './model/load-model.ts';
import { badSampleSchema } from './parts/bad-samples.ts';
import { type KnownPreprocessing, preprocessingSchema } from './preprocessing/preprocessing.ts';
import { parsed, readJson } from './statistics-file.ts';

/** What a shard has seen. */
export interface ShardStates {
  readonly format: 'rebatch-states';
  readonly version: 1;
  /** A digest of the model's weights. */
  readonly model: string;
  /** The fingerprint of the data. */
  readonly data: string;
  readonly batchSize: number;
  /** Positions from..to of so many. */
  readonly shard: { readonly from: number; readonly to: number; readonly of: number };
  readonly samples: number;
  /** What was left out of it. */
  readonly bad?: readonly BadSample[] | undefined;
  /** How inputs were prepared, as far as it is known. */
  readonly preprocessing?: KnownPreprocessing | undefined;
  /** In the model's order; null for one that is never applied. */
  readonly sites: readonly {
    readonly name: string;
    readonly channels: number;
    readonly state: EstimatorState | null;
  }[];
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'Expected a digest'));
const schema = v.strictObject({
  format: v.literal('rebatch-states'),
  version: v.literal(1),
  model: digest,
  data: digest,
  batchSize: count,
  shard: v.strictObject({ from: count, to: count, of: count }),
  samples: count,
  bad: v.optional(v.array(badSampleSchema)),
  preprocessing: v.optional(v.partial(preprocessingSchema)),
  sites: v.array(
    v.strictObject({
      name: v.string(),
      channels: count,
      // What is in it, the estimator that reads it says.
      state: v.nullable(v.looseObject({ kind: v.string(), version: v.number() })),
    }),
  ),
});

export const statesText = (states: ShardStates): string => `${JSON.stringify(states)}\n`;

/** @throws {DataError} for a file that is none. */
export async function readStatesFile(path: string): Promise<ShardStates> {
  const value = parsed(path, await readJson(path, 'estimators of a shard'), schema, 'estimators of a shard');
  return value as unknown as ShardStates;
}

/** Tells models apart: a digest of the statistics and all other weights. */
export async function digestOf(
  statistics: ModelStatistics,
  { opened }: Pick<LoadedModel, 'opened'>,
): Promise<string> {
  const hash = createHash('sha256');
  const { weightData } = opened.artifacts;
  for (const part of Array.isArray(weightData) ? weightData : [weightData ?? new ArrayBuffer(0)]) {
    hash.update(new Uint8Array(part));
  }
  for (const { name, mean, variance } of statistics) {
    hash.update(JSON.stringify([name, mean.length, variance.length]));
  }
  return hash.digest('hex');
}
