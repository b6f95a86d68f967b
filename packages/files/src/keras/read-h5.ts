import type { ByteSource } from '../bytes/byte-source.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { H5File } from '../h5/h5-file.ts';
import { checkJson, isObject, type JsonObject, parseJsonObject } from '../json.ts';
import { type Limits, limitsOf } from '../limits.ts';
import type { OpenedModel, OpenOptions } from '../opened-model.ts';
import { type KerasParts, kerasModel } from './keras-model.ts';

/** The model in an HDF5 file of Keras: a whole model of Keras 2 or 3, or weights with their configuration in `options`. */
export async function h5Model(source: ByteSource, options: OpenOptions): Promise<OpenedModel> {
  const limits = limitsOf(options.limits);
  return kerasModel(await h5Parts(source, options, limits), options, limits);
}

/** The configuration of such a model, and the file of its weights. */
export async function h5Parts(
  source: ByteSource,
  options: Pick<OpenOptions, 'config'>,
  limits: Limits,
): Promise<KerasParts> {
  const file = await H5File.open(source, limits);
  const text = async (path: string, name: string) => (await file.texts(path, name))?.[0];
  const stored = await text('', 'model_config');
  const legacyRoot = await legacyRootOf(file, stored !== undefined);
  const kerasVersion = (await text('', 'keras_version')) ?? (await text('model_weights', 'keras_version'));
  await checkOrigin(
    file,
    kerasVersion,
    (await text('', 'backend')) ?? (await text('model_weights', 'backend')),
  );
  const given = options.config ?? stored;
  if (given === undefined) {
    throw new UnsupportedFileError(
      `${source.name} holds weights without a model. Give its configuration, as model.to_json() writes it, in the option config.`,
    );
  }
  const config = configOf(given, source.name, limits);
  const version =
    kerasVersion ?? (typeof config.keras_version === 'string' ? config.keras_version : undefined);
  const origin = {
    name: source.name,
    kind: 'keras-h5' as const,
    ...(version !== undefined && { kerasVersion: version }),
  };
  return { origin, config, weights: file, ...(legacyRoot !== undefined && { legacyRoot }) };
}

/** Where the legacy layout begins; undefined for that of Keras 3. */
async function legacyRootOf(file: H5File, whole: boolean): Promise<string | undefined> {
  if (whole || (await file.has('model_weights'))) return 'model_weights';
  const names = await file.names('');
  if (await file.texts('', 'layer_names')) return '';
  if (await file.texts('', 'layer_names0')) return '';
  if (names.includes('layers') || names.includes('_layer_checkpoint_dependencies')) return undefined;
  throw new UnsupportedFileError(
    `${file.name} is an HDF5 file, but none of a Keras model: it has ${names.slice(0, 5).join(', ') || 'nothing'} in it.`,
  );
}

async function checkOrigin(
  file: H5File,
  version: string | undefined,
  backend: string | undefined,
): Promise<void> {
  if (version?.startsWith('1.') || version?.startsWith('0.')) {
    throw new UnsupportedFileError(
      `${file.name} was written by Keras ${version}, which orders weights in its own way. Load and save it with Keras 2.`,
    );
  }
  if (backend === 'theano') {
    throw new UnsupportedFileError(
      `${file.name} was written with Theano, which turns kernels of convolutions around. Load and save it with TensorFlow as the backend.`,
    );
  }
}

/** The configuration of a model: `{class_name, config}`. */
export function configOf(given: string | object, file: string, limits: Limits): JsonObject {
  const what = `The configuration of ${file}`;
  if (typeof given === 'string') return parseJsonObject(given, what, limits);
  checkJson(given, what);
  if (isObject(given)) return given;
  throw new MalformedFileError(`${what} should be an object with class_name and config.`);
}
