// What a graph is made of, taken from a GraphModel that is loaded or from the artifacts of one.
import type { GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { GraphModelError, GraphWeightsError } from './errors.ts';
import type { GraphDef } from './graph/node-def.ts';
import { notAGraph } from './not-a-graph.ts';
import { cutWeights, type StoredWeight } from './weights/layout.ts';

/** A GraphModel, however it was loaded. */
export type LoadedGraph = GraphModel | GraphModel<tf.io.IOHandlerSync>;

/** A graph and its weights. */
export interface GraphSource {
  /** As the model was loaded from them; not to be written to. */
  readonly artifacts: tf.io.ModelArtifacts;
  readonly topology: GraphDef;
  readonly specs: readonly tf.io.WeightsManifestEntry[];
  /** The weights on the device, by their names. */
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  /** Whether the tensors are ours to dispose. */
  readonly owned: boolean;
  /** The weights as they are stored; undefined where the model was loaded from a stream, which is gone. */
  readonly stored: ReadonlyMap<string, StoredWeight> | undefined;
}

/**
 * Opens a graph. Weights of a model that is loaded are shared with it; those of artifacts are put on the device.
 *
 * @throws {NotAModelError} {GraphModelError} {GraphWeightsError}
 */
export function openGraph(given: LoadedGraph | tf.io.ModelArtifacts): GraphSource {
  if (isGraphModel(given)) return openModel(given);
  if (
    typeof given === 'object' &&
    given !== null &&
    'modelTopology' in given &&
    !('weightsManifest' in given)
  ) {
    return openArtifacts(given);
  }
  throw notAGraph(given);
}

/** Frees what was put on the device for it; weights that are shared stay. */
export function closeGraph({ owned, tensors }: GraphSource): void {
  if (owned) tf.dispose([...tensors.values()]);
}

function isGraphModel(value: unknown): value is LoadedGraph {
  const { execute, executeAsync, save } = (value ?? {}) as Partial<Record<string, unknown>>;
  return [execute, executeAsync, save].every((member) => typeof member === 'function');
}

function openModel(model: LoadedGraph): GraphSource {
  const artifacts = artifactsOf(model);
  if (artifacts?.modelTopology === undefined) {
    throw new GraphModelError(
      'graphModel: expected a GraphModel that is loaded. Wait for it: await model.load(), or await tf.loadGraphModel(address).',
    );
  }
  const tensors = new Map(
    Object.entries(model.weights).flatMap(([name, [tensor]]) => (tensor ? [[name, tensor] as const] : [])),
  );
  const disposed = [...tensors].find(([, tensor]) => tensor.isDisposed);
  if (disposed !== undefined) {
    throw new GraphWeightsError(
      `graphModel: expected a GraphModel in use, but its weight '${disposed[0]}' is disposed. Load it anew.`,
    );
  }
  const specs =
    artifacts.weightSpecs ??
    [...tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype }) as tf.io.WeightsManifestEntry);
  const { weightData } = artifacts;
  return {
    artifacts,
    topology: artifacts.modelTopology as GraphDef,
    specs,
    tensors,
    owned: false,
    stored: weightData && artifacts.weightSpecs && cutWeights(specs, weightData),
  };
}

/** What the model was loaded from, as it hands it to whoever saves it: at once, and without copies. */
function artifactsOf(model: LoadedGraph): tf.io.ModelArtifacts | undefined {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const saved = model.save({
    save: async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  saved.catch(() => {});
  return artifacts;
}

function openArtifacts(artifacts: tf.io.ModelArtifacts): GraphSource {
  const { weightSpecs, weightData, modelTopology } = artifacts;
  if (weightSpecs === undefined || weightData === undefined) {
    const missing = weightSpecs === undefined ? 'weightSpecs' : 'weightData';
    throw new GraphWeightsError(
      `graphModel: expected artifacts with their weights, got ones without ${missing}. Load all of the model, without ` +
        'streamWeights; or pass what tf.loadGraphModel gives.',
    );
  }
  const stored = cutWeights(weightSpecs, weightData);
  return {
    artifacts,
    topology: modelTopology as GraphDef,
    specs: weightSpecs,
    tensors: upload(weightSpecs, weightData),
    owned: true,
    stored,
  };
}

function upload(specs: tf.io.WeightsManifestEntry[], data: tf.io.WeightData): Map<string, tf.Tensor> {
  let tensors: tf.NamedTensorMap;
  try {
    tensors = tf.tidy(() => tf.io.decodeWeights(data, specs));
  } catch (cause) {
    throw new GraphWeightsError(
      `graphModel: the weights could not be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  // They outlive any tf.tidy around this call.
  for (const tensor of Object.values(tensors)) tf.keep(tensor);
  return new Map(Object.entries(tensors));
}
