// The small file beside a model that says how its inputs are prepared, so that it is said once.
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { UsageError } from '../errors.ts';
import { writeAtomically } from '../output/write-atomically.ts';
import { type KnownPreprocessing, preprocessingSchema } from './preprocessing.ts';

const MAX_BYTES = 1 << 20;

const schema = v.strictObject({
  format: v.literal('rebatch-preprocessing'),
  version: v.literal(1),
  preprocessing: v.partial(preprocessingSchema),
});

/** What the file at `path` says; undefined if there is none. @throws {UsageError} for one that is no such file. */
export async function readSidecar(path: string): Promise<KnownPreprocessing | undefined> {
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
  if (result.success) return aboutPictures(result.output.preprocessing as KnownPreprocessing);
  const [issue] = result.issues;
  throw wrong(`${v.getDotPath(issue) ?? 'the whole'} is wrong: ${issue.message}`);
}

/** Where no size is known, earlier releases wrote of arrays, and named a fit and a color that nobody had said. */
function aboutPictures(known: KnownPreprocessing): KnownPreprocessing {
  if (known.size !== null) return known;
  const { size, fit, color, ...values } = known;
  return values;
}

/** The file's text. */
export function sidecarText(preprocessing: KnownPreprocessing): string {
  return `${JSON.stringify({ format: 'rebatch-preprocessing', version: 1, preprocessing }, undefined, 2)}\n`;
}

/** Writes it whole or not at all. @throws {OutputError} */
export async function writeSidecar(path: string, preprocessing: KnownPreprocessing): Promise<void> {
  await writeAtomically(path, sidecarText(preprocessing));
}
