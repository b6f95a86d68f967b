import type { ByteSource } from './bytes/byte-source.ts';
import { UnsupportedFileError } from './errors.ts';
import { guarded } from './guarded.ts';
import { identifySource } from './identify.ts';
import { h5Model } from './keras/read-h5.ts';
import { kerasFileModel } from './keras/read-keras.ts';
import { limitsOf } from './limits.ts';
import { checkOpenOptions, type OpenedModel, type OpenOptions } from './opened-model.ts';
import { type ModelSource, placeOf } from './sources.ts';
import { type FileSet, withFile } from './tfjs/model-files.ts';
import { modelJsonModel } from './tfjs/read-model-json.ts';

/**
 * Opens a model of any kind that is known here: `model.json` with its weight files, Keras's `.h5`, Keras 3's `.keras`.
 *
 * `source` is an address, the bytes of one file, a Blob or File, or a list of files that belong together, such as what a
 * visitor chose. In Node, `openModel` of `@rebatch/files/node` takes paths as well. What the file is, its bytes tell.
 *
 * Nothing is made of TensorFlow.js: give the result to `tf.loadLayersModel(toIOHandler(model))`, or to `loadGraphModel` when
 * its `format` says so. Only what is needed is read, and whatever a file claims is checked before memory is taken for it.
 *
 * Throws `UnsupportedFileError` for a file of another kind, with the way to convert it; `UnsupportedLayerError` for a layer
 * that `tf.layers` lacks; `MalformedFileError`, `FileLimitError`, `FileAccessError`; and the signal's reason when it aborts.
 */
export async function openModel(source: ModelSource, options: OpenOptions = {}): Promise<OpenedModel> {
  return guarded(async () => {
    checkOpenOptions('openModel', options);
    const limits = limitsOf(options.limits);
    const { files, model } = await placeOf(source, limits, options.signal);
    return openIn(files, model, options);
  });
}

/** Opens the model that is the file `path` of `files`. */
export async function openIn(files: FileSet, path: string, options: OpenOptions): Promise<OpenedModel> {
  options.signal?.throwIfAborted();
  return withFile(files, path, (source) => openSource(source, files, options));
}

async function openSource(source: ByteSource, files: FileSet, options: OpenOptions): Promise<OpenedModel> {
  const { kind, advice } = await identifySource(source);
  if (kind === 'h5') return h5Model(source, options);
  if (kind === 'keras') return kerasFileModel(source, options);
  if (kind === 'model.json') return modelJsonModel(source, files, options);
  throw new UnsupportedFileError(`${source.name} ${advice}`);
}
