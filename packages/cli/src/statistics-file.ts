// Statistics, and estimators on the way to them, as files: to be kept, merged, and put into a model.
import { readFile, stat } from 'node:fs/promises';
import type { ModelStatistics } from '@rebatch/models';
import * as v from 'valibot';
import { DataError } from './errors.ts';
import type { LoadedModel } from './model/load-model.ts';

/** A file of statistics may have so many bytes. */
const MAX_BYTES = 2 ** 28;

const numbers = v.array(v.number());
const schema = v.strictObject({
  format: v.literal('rebatch-statistics'),
  version: v.literal(1),
  model: v.string(),
  sites: v.array(v.strictObject({ name: v.string(), mean: numbers, variance: numbers })),
});

/** The text of a file with the statistics of a model. */
export function statisticsText({ name }: Pick<LoadedModel, 'name'>, statistics: ModelStatistics): string {
  const sites = statistics.map((site) => ({
    name: site.name,
    mean: Array.from(site.mean),
    variance: Array.from(site.variance),
  }));
  return `${JSON.stringify({ format: 'rebatch-statistics', version: 1, model: name, sites })}\n`;
}

/** @throws {DataError} for a file that is none; what does not fit a model, `applyStatistics` says. */
export async function readStatisticsFile(path: string): Promise<ModelStatistics> {
  return parsed(path, await readJson(path, 'statistics'), schema, 'statistics').sites;
}

/** The JSON of a file. @param what it should hold, for messages. @throws {DataError} */
export async function readJson(path: string, what: string): Promise<unknown> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES)
      throw new DataError(`${path}: expected ${what} of at most ${MAX_BYTES} bytes, got ${size}.`);
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof DataError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(
      code === 'ENOENT'
        ? `${path} does not exist.`
        : `${path}: expected ${what} as JSON, got something else: ${message}.`,
      { cause: error },
    );
  }
}

/** A value by a schema. @throws {DataError} saying what is wrong where. */
export function parsed<T>(path: string, value: unknown, by: v.GenericSchema<unknown, T>, what: string): T {
  const result = v.safeParse(by, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new DataError(
    `${path}: expected ${what}, got something in which ${v.getDotPath(issue) ?? 'the whole'} is wrong: ${issue.message}.`,
  );
}
