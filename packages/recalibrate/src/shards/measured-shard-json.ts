// What a shard gave as JSON, for queues and files: the same bits come back.
import { MomentsError, momentsFromJSON, momentsToJSON } from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import { ShardError } from '../errors.ts';
import { isInputReport } from './is-input-report.ts';
import type { MeasuredBatch, MeasuredShard, MeasuredSite } from './shard.ts';

/** Plain JSON, version 2. */
export interface MeasuredShardJSON {
  readonly version: 2;
  readonly [field: string]: unknown;
}

/** JSON from which `measuredShardFromJSON` restores the same bits. */
export function measuredShardToJSON(shard: MeasuredShard): MeasuredShardJSON {
  const measured = shard.measured.map(({ seen, ...batch }) => ({
    ...batch,
    seen: seen.map(({ moments, ...place }) => ({ ...place, moments: momentsToJSON(moments) })),
  }));
  return { version: 2, ...shard, measured };
}

/**
 * Restores what `measuredShardToJSON` made. Takes anything and trusts none of it.
 *
 * @throws {ShardError} that names the field, what was expected and what came.
 */
export function measuredShardFromJSON(json: unknown): MeasuredShard {
  const fail = (field: string, expected: string, came: unknown, cause?: unknown): never => {
    throw new ShardError(`A measured shard: expected ${field} to be ${expected}, got ${shown(came)}.`, {
      cause,
    });
  };
  const fields = (value: unknown, field: string) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : fail(field, 'an object', value);
  const list = (value: unknown, field: string) =>
    Array.isArray(value) ? (value as unknown[]) : fail(field, 'a list', value);
  const count = (value: unknown, field: string, least = 0) =>
    Number.isSafeInteger(value) && (value as number) >= least
      ? (value as number)
      : fail(field, `an integer >= ${least}`, value);
  const site = (value: unknown): MeasuredSite => {
    const one = fields(value, 'what was seen of a site');
    try {
      return {
        site: count(one.site, 'site'),
        index: count(one.index, 'index'),
        moments: momentsFromJSON(one.moments),
      };
    } catch (error) {
      if (error instanceof MomentsError) fail('moments', 'as momentsToJSON writes them', one.moments, error);
      throw error;
    }
  };
  const batch = (value: unknown): MeasuredBatch => {
    const one = fields(value, 'a batch');
    return {
      index: count(one.index, 'the index of a batch'),
      samples: count(one.samples, 'samples', 1),
      values: list(one.values, 'values').map((each) => count(each, 'the values of a site')),
      seen: list(one.seen, 'seen').map(site),
    };
  };
  const whole = fields(json, 'the whole');
  if (whole.version !== 2) fail('version', '2', whole.version);
  const inputs = list(whole.inputs, 'inputs');
  const odd = inputs.find((one) => !isInputReport(one));
  if (odd !== undefined) fail('inputs', 'what the model was given', odd);
  return {
    first: count(whole.first, 'first'),
    batches: count(whole.batches, 'batches', 1),
    pass: count(whole.pass, 'pass', 1),
    passes: count(whole.passes, 'passes'),
    read: count(whole.read, 'read'),
    applications: count(whole.applications, 'applications'),
    measured: list(whole.measured, 'measured').map(batch),
    skipped: list(whole.skipped, 'skipped').map((one) => count(one, 'a batch that was left out')),
    inputs: inputs as MeasuredShard['inputs'],
  };
}
