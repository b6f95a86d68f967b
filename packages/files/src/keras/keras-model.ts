import type { io } from '@tensorflow/tfjs-core';
import { checkArtifacts } from '../check/check-artifacts.ts';
import { MalformedFileError } from '../errors.ts';
import type { Dataset } from '../h5/dataset.ts';
import { elementsOf } from '../h5/datatype.ts';
import type { H5File } from '../h5/h5-file.ts';
import type { JsonObject } from '../json.ts';
import { type Limits, within } from '../limits.ts';
import type { ModelOrigin, OpenedModel, OpenOptions } from '../opened-model.ts';
import type { Context } from './context.ts';
import { type Found, findByGroup, findByName } from './find-weights.ts';
import { checkNames } from './layer-tree.ts';
import { rewriteLayer } from './rewrite-layer.ts';
import { rewriteModel } from './rewrite-model.ts';
import { type StoredAs, storedAs } from './stored-weight.ts';

/** A Keras model whose configuration and weights are at hand. */
export interface KerasParts {
  readonly origin: ModelOrigin;
  /** `{class_name, config}`, as Keras wrote it. */
  readonly config: JsonObject;
  readonly weights: H5File;
  /** Where the legacy layout begins in `weights`; undefined for the layout of Keras 3. */
  readonly legacyRoot?: string;
}

/** A weight of a model, and where its values are. */
export interface KerasWeight {
  readonly name: string;
  readonly path: string;
  readonly dataset: Dataset;
  /** Whether the dataset is marked as one of bfloat16, in which case it holds opaque pairs of bytes. */
  readonly bfloat16: boolean;
  readonly stored: StoredAs;
}

/** A model whose configuration was read, and whose weights were found. Their values were not read. */
export interface KerasLayout {
  /** The configuration as `tf.layers` takes it. */
  readonly config: JsonObject;
  readonly weights: readonly KerasWeight[];
  /** Bytes of all weights, as TensorFlow.js stores them. */
  readonly bytes: number;
  readonly notes: readonly string[];
}

/** Finds the weights of a Keras model, and what `tf.layers` calls them. Throws what the readers throw. */
export async function layOut(
  { origin, config, weights, legacyRoot }: KerasParts,
  options: Pick<OpenOptions, 'customLayers'>,
  limits: Limits,
): Promise<KerasLayout> {
  const { customLayers = {} } = options;
  const keras3 =
    origin.kerasVersion === undefined ? isOfKeras3(config) : Number.parseInt(origin.kerasVersion, 10) >= 3;
  const context: Context = { file: origin.name, keras3, customLayers, limits, notes: new Set(), layers: 0 };
  const model = rewriteModel(config, context, rewriteLayer);
  const found = await (legacyRoot === undefined
    ? findByGroup(weights, model)
    : findByName(weights, legacyRoot, model));
  checkNames(
    found.map(({ place }) => place),
    origin.name,
  );
  within(limits, 'maxWeights', found.length, `The number of weights of ${origin.name}`);
  return { config: model.json, ...(await describe(weights, found, context)), notes: [...context.notes] };
}

/** Puts a Keras model together for `tf.layers`. Throws what the readers throw. */
export async function kerasModel(
  parts: KerasParts,
  options: OpenOptions,
  limits: Limits,
): Promise<OpenedModel> {
  const { origin } = parts;
  const layout = await layOut(parts, options, limits);
  const artifacts: io.ModelArtifacts = {
    format: 'layers-model',
    generatedBy: origin.kerasVersion === undefined ? 'keras' : `keras v${origin.kerasVersion}`,
    convertedBy: '@rebatch/files',
    modelTopology: {
      keras_version: origin.kerasVersion ?? 'unknown',
      backend: 'tensorflow',
      model_config: layout.config,
    },
    weightSpecs: layout.weights.map(specOf),
    weightData: await readAll(parts.weights, layout, options),
  };
  checkArtifacts(artifacts, limits);
  return { format: 'layers-model', artifacts, source: origin, notes: layout.notes };
}

/** How a weight is stored for TensorFlow.js. */
export function specOf({ name, dataset, stored }: KerasWeight): io.WeightsManifestEntry {
  return { name, shape: [...dataset.shape], ...stored.spec };
}

/** Weights by themselves, and the text of a configuration, do not name their version; its words do. */
function isOfKeras3(config: JsonObject): boolean {
  return /"(batch_shape|__keras_tensor__)"/.test(JSON.stringify(config));
}

async function describe(
  file: H5File,
  found: readonly Found[],
  context: Context,
): Promise<Pick<KerasLayout, 'weights' | 'bytes'>> {
  const weights: KerasWeight[] = [];
  let bytes = 0;
  for (const { place, path } of found) {
    const dataset = await file.dataset(path);
    if (!dataset)
      throw new MalformedFileError(`${file.name} has no values for '${place.name}', at '${path}'.`);
    const bfloat16 = dataset.type.kind === 'opaque' && (await file.texts(path, 'dtype'))?.[0] === 'bfloat16';
    const stored = storedAs(dataset, bfloat16);
    if (stored.note) context.notes.add(stored.note);
    weights.push({ name: place.name, path, dataset, bfloat16, stored });
    bytes += elementsOf(dataset.shape) * stored.bytes;
    within(context.limits, 'maxBytes', bytes, `The bytes of the weights of ${context.file}`);
  }
  return { weights, bytes };
}

async function readAll(
  file: H5File,
  { weights, bytes: total }: KerasLayout,
  { signal, onProgress }: OpenOptions,
): Promise<ArrayBuffer> {
  // One buffer for all, filled weight by weight: what is in memory besides is never more than the largest weight.
  const data = new Uint8Array(total);
  let loaded = 0;
  for (const { dataset, stored } of weights) {
    signal?.throwIfAborted();
    const bytes = stored.convert(await file.values(dataset));
    data.set(bytes, loaded);
    loaded += bytes.length;
    onProgress?.({ loaded, total });
  }
  return data.buffer;
}
