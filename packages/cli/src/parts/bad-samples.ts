// What was left out, as it travels from who read it to who reports it.
import * as v from 'valibot';
import type { BadSample } from '../data/data.ts';
import { DataError } from '../errors.ts';

export const badSampleSchema = v.strictObject({
  position: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  name: v.string(),
  reason: v.string(),
  batchOf: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
});

/** @throws {DataError} unless it is one. */
export function readBadSample(value: unknown): BadSample {
  const result = v.safeParse(badSampleSchema, value);
  if (result.success) return result.output;
  throw new DataError(
    `Expected what a worker has left out, got something in which ${v.getDotPath(result.issues[0]) ?? 'the whole'} is wrong. ` +
      'It is not of this release.',
  );
}
