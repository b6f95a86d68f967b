import { checkNames } from '@rebatch/stats/~internal';
import type { ByteSource } from './bytes/byte-source.ts';
import { ModelFileError, UnsupportedFileError } from './errors.ts';
import { guarded } from './guarded.ts';
import { identifySource } from './identify.ts';
import type { NewWeights } from './keras/new-values.ts';
import { h5WithWeights, kerasFileWithWeights, type ReplaceInFileOptions } from './keras/replace-weights.ts';
import { limitsOf } from './limits.ts';
import type { OpenOptions } from './opened-model.ts';
import { type ModelSource, placeOf } from './sources.ts';
import { type FileSet, withFile } from './tfjs/model-files.ts';

/** As for `openModel`: the same file needs the same `config` and `customLayers`. */
export type ReplaceWeightsOptions = Omit<OpenOptions, 'onProgress'>;

const OPTIONS: readonly (keyof ReplaceWeightsOptions)[] = ['limits', 'config', 'customLayers', 'signal'];

/**
 * The bytes of a Keras file with other values in some of its weights, to go on with in Python: statistics that were
 * recalibrated, for one. Every other byte is as it was: configuration, optimizer, and whatever else is in the file. (What the
 * file says of its bytes follows them: checksums, and the lengths of what is compressed.)
 *
 * `source` is what `openModel` opens, of which it must be a Keras file: `.h5`, `.weights.h5` or `.keras`. `weights` has the
 * new values by the names of `openModel`'s artifacts, in row-major order: `{ 'bn/moving_mean': mean }`. Or it is such artifacts
 * as a whole: weights whose values are those of the file are left alone, to the last bit of a float64. Values are stored in the
 * type that the file has for them; floats are rounded to it.
 *
 * The result is opened again and compared before it is given. The source is not written to.
 *
 * Throws `WeightsError` for a name or shape that is not the file's, and for a value that its type cannot hold; what
 * `openModel` throws for a file that it does not open, and `UnsupportedFileError` for one that is none of Keras.
 */
export async function replaceWeights(
  source: ModelSource,
  weights: NewWeights,
  options: ReplaceWeightsOptions = {},
): Promise<Uint8Array> {
  return guarded(async () => {
    checkReplaceOptions(options);
    const { files, model } = await placeOf(source, limitsOf(options.limits), options.signal);
    return replaceIn(files, model, weights, options);
  });
}

/** Throws `ModelFileError` for an option that there is not. */
export function checkReplaceOptions(options: ReplaceWeightsOptions): void {
  checkNames('replaceWeights', options, OPTIONS, ModelFileError);
}

/** The bytes of the file `path` of `files`, with other weights. */
export async function replaceIn(
  files: FileSet,
  path: string,
  weights: NewWeights,
  options: ReplaceInFileOptions,
): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  return withFile(files, path, (source) => replaceInSource(source, weights, options));
}

async function replaceInSource(source: ByteSource, weights: NewWeights, options: ReplaceInFileOptions) {
  const { kind, advice } = await identifySource(source);
  if (kind === 'h5') return h5WithWeights(source, weights, options);
  if (kind === 'keras') return kerasFileWithWeights(source, weights, options);
  if (kind === 'model.json') {
    throw new UnsupportedFileError(
      `${source.name} is a model of TensorFlow.js, whose weights are in files of their own. Write it as a whole, with ` +
        'writeModel of @rebatch/files/node, or modelFiles.',
    );
  }
  throw new UnsupportedFileError(`${source.name} ${advice}`);
}
