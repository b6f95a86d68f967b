// Other weights in a Keras file, byte by byte where the old ones are.

import { type ByteSource, bytesSource } from '../bytes/byte-source.ts';
import { equalBytes } from '../bytes/equal-bytes.ts';
import { MalformedFileError } from '../errors.ts';
import type { H5File } from '../h5/h5-file.ts';
import { type Limits, limitsOf, within } from '../limits.ts';
import type { OpenOptions } from '../opened-model.ts';
import { type KerasParts, type KerasWeight, layOut } from './keras-model.ts';
import { type NewWeights, valuesToWrite } from './new-values.ts';
import { h5Parts } from './read-h5.ts';
import { kerasFileParts, WEIGHTS } from './read-keras.ts';
import { bytesFor, roundedTo } from './to-bytes.ts';

/** A weight whose new values are not to the last bit in the file. */
export interface RoundedWeight {
  readonly name: string;
  /** What the file stores it as: `float16`, for one. */
  readonly type: string;
}

export interface ReplaceInFileOptions
  extends Pick<OpenOptions, 'limits' | 'config' | 'customLayers' | 'signal'> {
  /** Told of each weight whose new values were rounded. */
  readonly onRounded?: (weight: RoundedWeight) => void;
}

type Options = ReplaceInFileOptions;

/** The bytes of an HDF5 file of Keras with other weights. */
export async function h5WithWeights(
  source: ByteSource,
  given: NewWeights,
  options: Options,
): Promise<Uint8Array> {
  const limits = limitsOf(options.limits);
  const parts = await h5Parts(source, options, limits);
  const plan = await planOf(parts, given, options, limits);
  within(limits, 'maxBytes', source.size, `The length of ${source.name}`);
  const bytes = await parts.weights.withValues(plan.datasets);
  const again = await h5Parts(bytesSource(source.name, bytes), options, limits);
  await checkWritten(parts.weights, again.weights, plan, options.signal);
  return bytes;
}

/** The bytes of a `.keras` file with other weights. */
export async function kerasFileWithWeights(
  source: ByteSource,
  given: NewWeights,
  options: Options,
): Promise<Uint8Array> {
  const limits = limitsOf(options.limits);
  const { parts, zip } = await kerasFileParts(source, limits);
  const plan = await planOf(parts, given, options, limits);
  within(limits, 'maxBytes', source.size, `The length of ${source.name}`);
  const bytes = await zip.with(WEIGHTS, await parts.weights.withValues(plan.datasets));
  const again = await kerasFileParts(bytesSource(source.name, bytes), limits);
  await checkWritten(parts.weights, again.parts.weights, plan, options.signal);
  return bytes;
}

/** What is to be written. */
interface Plan {
  readonly all: readonly KerasWeight[];
  /** The bytes of datasets that are to change. */
  readonly datasets: ReadonlyMap<KerasWeight['dataset'], Uint8Array>;
}

async function planOf(parts: KerasParts, given: NewWeights, options: Options, limits: Limits): Promise<Plan> {
  const { weights: all } = await layOut(parts, options, limits);
  options.signal?.throwIfAborted();
  const values = await valuesToWrite(parts.weights, all, given, limits);
  const datasets = new Map(
    [...values].map(([{ name, dataset }, list]) => [dataset, bytesFor(name, dataset, list)]),
  );
  for (const [{ name, dataset }, list] of values) {
    const type = roundedTo(dataset, list);
    if (type !== undefined) options.onRounded?.({ name, type });
  }
  return { all, datasets };
}

/**
 * Reads what was written: each weight that was to change has its new bytes, and every other one those that it had.
 *
 * @throws {MalformedFileError} for a file that has several weights in the same place, or a weight where something else is.
 */
async function checkWritten(
  before: H5File,
  after: H5File,
  { all, datasets }: Plan,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { name, path, dataset } of all) {
    signal?.throwIfAborted();
    const wanted = datasets.get(dataset) ?? (await before.values(dataset));
    const again = await after.dataset(path);
    if (again && equalBytes(await after.values(again), wanted)) continue;
    throw new MalformedFileError(
      `${before.name} has the weight '${name}' in the same place as another part of the file, so it cannot be replaced alone.`,
    );
  }
}
