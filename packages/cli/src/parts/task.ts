// What a thread or a machine has to know to measure parts of the data: plain JSON, checked by whoever gets it.
import * as v from 'valibot';
import { descriptionSchema } from '../data/description.ts';
import { DataError } from '../errors.ts';
import { BACKENDS } from '../model/backend.ts';

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'Expected a digest'));
const wholeNumber = (least: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least));

const schema = v.strictObject({
  version: v.literal(1),
  /** A path or an address, and what has to be found there. */
  model: v.strictObject({ path: v.pipe(v.string(), v.minLength(1), v.maxLength(1 << 14)), digest }),
  backend: v.picklist(BACKENDS),
  data: descriptionSchema,
  /** The fingerprint of the data. */
  fingerprint: digest,
  /** Positions of the data that are used, from 0 on. */
  positions: wholeNumber(1),
  batchSize: wholeNumber(1),
  mode: v.picklist(['batch', 'layerwise']),
});

/** Which parts of which data are measured by which model. */
export type MeasuringTask = v.InferOutput<typeof schema>;

/** @throws {DataError} unless it is one. */
export function readTask(value: unknown): MeasuringTask {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new DataError(
    `Expected what is to be measured, got something in which ${v.getDotPath(issue) ?? 'the whole'} is wrong: ` +
      `${issue.message}. It is not of this release.`,
  );
}

/** How many batches a task has. */
export const batchesOfTask = ({ positions, batchSize }: MeasuringTask): number =>
  Math.ceil(positions / batchSize);

/** The positions of consecutive batches. */
export function rangeOf(
  { positions, batchSize }: MeasuringTask,
  { first, batches }: { readonly first: number; readonly batches: number },
): { readonly from: number; readonly to: number } {
  return { from: first * batchSize, to: Math.min((first + batches) * batchSize, positions) };
}
