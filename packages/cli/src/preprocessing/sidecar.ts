// The small file beside a model that says how its inputs are prepared, so that it is said once.
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { UsageError } from '../errors.ts';
import { writeAtomically } from '../output/write-atomically.ts';
import { type Preprocessing, preprocessingSchema } from './preprocessing.ts';

const MAX_BYTES = 1 << 20;

const schema = v.strictObject({
  format: v.literal('rebatch-preprocessing'),
  version: v.literal(1),
  preprocessing: preprocessingSchema,
});

/** What the file at `path` says; undefined if there is none. @throws {UsageError} for one that is no such file. */
export async function readSidecar(path: string): Promise<Preprocessing | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  const wrong = (why: string, cause?: unknown) =>
    new UsageError(`${path} does not say how inputs are prepared: ${why}. Mend or remove it.`, { cause });
  if (text.length > MAX_BYTES) throw wrong(`it is larger than ${MAX_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong((error as Error).message, error);
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output.preprocessing;
  const [issue] = result.issues;
  throw wrong(`${v.getDotPath(issue) ?? 'the whole'} is wrong: ${issue.message}`);
}

/** The file's text. */
export function sidecarText(preprocessing: Preprocessing): string {
  return `${JSON.stringify({ format: 'rebatch-preprocessing', version: 1, preprocessing }, undefined, 2)}\n`;
}

/** Writes it whole or not at all. @throws {OutputError} */
export async function writeSidecar(path: string, preprocessing: Preprocessing): Promise<void> {
  await writeAtomically(path, sidecarText(preprocessing));
}
