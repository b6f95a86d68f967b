// The readers by themselves, for who knows what a file is and wants no more of this package in a bundle than that takes.

import type { ByteSource } from './bytes/byte-source.ts';
import { guarded } from './guarded.ts';
import { h5Model } from './keras/read-h5.ts';
import { kerasFileModel } from './keras/read-keras.ts';
import { limitsOf } from './limits.ts';
import { checkOpenOptions, type OpenedModel, type OpenOptions } from './opened-model.ts';
import { type ModelSource, placeOf } from './sources.ts';
import { type FileSet, withFile } from './tfjs/model-files.ts';
import { modelJsonModel } from './tfjs/read-model-json.ts';

/** Opens `model.json` and its weight files. Throws as `openModel` does. */
export async function readModelJson(source: ModelSource, options: OpenOptions = {}): Promise<OpenedModel> {
  return read('readModelJson', source, options, (file, files) => modelJsonModel(file, files, options));
}

/**
 * Opens a `.h5` of Keras 2 or 3: a whole model, or weights (a `.weights.h5` of Keras 3, too) whose configuration is the
 * option `config`. Throws as `openModel` does.
 */
export async function readH5(source: ModelSource, options: OpenOptions = {}): Promise<OpenedModel> {
  return read('readH5', source, options, (file) => h5Model(file, options));
}

/** Opens a `.keras` file of Keras 3, or of Keras 2.12 and later. Throws as `openModel` does. */
export async function readKeras(source: ModelSource, options: OpenOptions = {}): Promise<OpenedModel> {
  return read('readKeras', source, options, (file) => kerasFileModel(file, options));
}

async function read(
  who: string,
  source: ModelSource,
  options: OpenOptions,
  reader: (file: ByteSource, files: FileSet) => Promise<OpenedModel>,
): Promise<OpenedModel> {
  return guarded(async () => {
    checkOpenOptions(who, options);
    const { files, model } = await placeOf(source, limitsOf(options.limits), options.signal);
    return withFile(files, model, (file) => reader(file, files));
  });
}
