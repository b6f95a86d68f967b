// A model file as something that runs: of either kind, with its statistics in and out.

import { type OpenedModel, toIOHandler } from '@rebatch/files';
import { openModel } from '@rebatch/files/node';
import { graphModel, type NormalizedGraphModel } from '@rebatch/graph-models';
import { layersModel, NoBatchNormError, type NormalizedModel } from '@rebatch/models';
import { RebatchError } from '@rebatch/stats';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { ModelUseError } from '../errors.ts';

/** A model that runs. */
export interface LoadedModel {
  /** As it was named. */
  readonly path: string;
  readonly opened: OpenedModel;
  /** For people: its name, or the file's. */
  readonly name: string;
  /** Of tf.layers, or undefined for a graph. */
  readonly layers: tfl.LayersModel | undefined;
  readonly inputs: readonly ModelInput[];
  /** Samples in each batch, where it was built for one size alone. */
  readonly fixedBatch: number | undefined;
  /** How many values its first output has per sample; undefined where it does not say. */
  readonly outputs: number | undefined;
  /**
   * The model as its batch norms see it.
   *
   * @throws {NoBatchNormError} if it has none, {NoSiteError} for a graph in which nothing can be adapted.
   */
  readonly normalized: () => NormalizedModel;
  /** The same, if it is a graph. */
  readonly graph: () => NormalizedGraphModel | undefined;
  /**
   * From now on, the sites of a graph whose statistics were folded into weights are none, if there are others: weights with a
   * bias beside batch norms that were left. To be called before anything is written.
   *
   * @returns their names.
   */
  leaveFolded(): readonly string[];
  /** What it gives for a batch, in the order of its inputs: its first output, by the statistics that it has now. */
  predict(xs: tf.Tensor | readonly tf.Tensor[]): Promise<tf.Tensor>;
  dispose(): void;
}

/** An input of a model, the axis of samples included. */
export interface ModelInput {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  /** Of a graph that takes nothing but whole numbers: int32. tf.layers takes either. */
  readonly dtype: 'float32' | 'int32';
}

export interface LoadOptions {
  readonly signal: AbortSignal;
}

/**
 * Opens and builds the model at a path or an address, on the backend that runs.
 *
 * @throws the errors of `@rebatch/files` for a file that is damaged, or of a kind that is not opened; {ModelUseError} for a
 *   model that TensorFlow.js cannot build.
 */
export async function loadModel(path: string, { signal }: LoadOptions): Promise<LoadedModel> {
  const opened = await openModel(path, { signal });
  return opened.format === 'graph-model' ? loadGraph(path, opened) : loadLayers(path, opened);
}

async function loadLayers(path: string, opened: OpenedModel): Promise<LoadedModel> {
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  await Promise.all([
    import('@rebatch/layers/register'),
    import('@rebatch/domains/register'),
    import('@rebatch/leakage/register'),
  ]);
  const model = await built(path, () => loadLayersModel(toIOHandler(opened)));
  let normalized: NormalizedModel | undefined;
  const inputs = model.inputs.map(({ sourceLayer, shape }) => ({
    name: sourceLayer.name,
    shape,
    dtype: 'float32' as const,
  }));
  const shape = Array.isArray(model.outputShape[0]) ? model.outputShape[0] : model.outputShape;
  return {
    path,
    opened,
    name: model.name,
    layers: model,
    inputs,
    fixedBatch: undefined,
    outputs: sizeOf(shape as (number | null)[]),
    normalized: () => {
      normalized ??= layersModel(model);
      return normalized;
    },
    graph: () => undefined,
    leaveFolded: () => [],
    async predict(xs) {
      const given = [xs].flat() as tf.Tensor[];
      return firstOf(model.predict(given.length === 1 ? given[0]! : given) as tf.Tensor | tf.Tensor[]);
    },
    dispose: () => void model.dispose(),
  };
}

async function loadGraph(path: string, opened: OpenedModel): Promise<LoadedModel> {
  const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
  const model = await built(path, () => loadGraphModel(toIOHandler(opened)));
  const inputs = model.inputs.map(
    ({ name, shape, dtype }): ModelInput => ({
      name,
      dtype: dtype === 'int32' ? 'int32' : 'float32',
      shape: (shape ?? []).map((size) => (size > 0 ? size : null)),
    }),
  );
  let adapted: NormalizedGraphModel | undefined;
  const graph = () => {
    adapted ??= graphModel(model);
    return adapted;
  };
  /** Undefined where nothing can be adapted. */
  const graphIfAny = () => {
    try {
      return graph();
    } catch (error) {
      if (error instanceof NoBatchNormError) return undefined;
      throw error;
    }
  };
  const leaveFolded = () => {
    const sites = graphIfAny()?.sites ?? [];
    const names = sites.filter(({ folded }) => folded).map(({ name }) => name);
    if (names.length === 0 || names.length === sites.length) return [];
    adapted?.dispose();
    adapted = undefined;
    adapted = graphModel(model, { leaveOut: (_, { folded }) => folded });
    return names;
  };
  return {
    path,
    opened,
    name: path,
    layers: undefined,
    inputs,
    fixedBatch: inputs[0]?.shape[0] ?? undefined,
    outputs: sizeOf((model.outputs[0]?.shape ?? []).map((size) => (size > 0 ? size : null))),
    normalized: graph,
    graph,
    leaveFolded,
    async predict(xs) {
      const given = [xs].flat() as tf.Tensor[];
      const named = Object.fromEntries(model.inputNodes.map((name, i) => [name, given[i]!]));
      // What was adapted is in the copy; a graph of which nothing can be is run as it is.
      const runs = graphIfAny() ?? model;
      const outputs =
        'isDynamic' in runs && !runs.isDynamic ? runs.predict(named) : await runs.predictAsync(named);
      return firstOf(outputs as tf.Tensor | tf.Tensor[] | tf.NamedTensorMap);
    },
    dispose() {
      adapted?.dispose();
      model.dispose();
    },
  };
}

/** What TensorFlow.js throws has no class of its own; what it says is for people who wrote the model. */
async function built<T>(path: string, build: () => Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (error) {
    if (error instanceof RebatchError) throw error;
    throw new ModelUseError(`${path} cannot be built by TensorFlow.js: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The first output; the others are given back. */
function firstOf(outputs: tf.Tensor | tf.Tensor[] | tf.NamedTensorMap): tf.Tensor {
  if ('dataId' in outputs) return outputs as tf.Tensor;
  const [first, ...others] = Array.isArray(outputs) ? outputs : Object.values(outputs);
  for (const other of others) other.dispose();
  return first!;
}

/** Values of one sample. */
function sizeOf(shape: readonly (number | null)[]): number | undefined {
  const own = shape.slice(1);
  if (shape.length < 2 || own.some((size) => size === null)) return undefined;
  return (own as number[]).reduce((a, b) => a * b, 1);
}
