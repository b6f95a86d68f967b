// Models from thread to thread: layers, weights, what they were compiled with, and the state of the optimizer.
import {
  BatchNormalization,
  batchNormLayers,
  convert,
  freezeBatchNorm,
  type StatisticsSettings,
} from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { ReplicaSetupError } from '../errors.ts';
import { encode, nameIn } from './encoded.ts';
import type { PackedModel, PackedState } from './messages.ts';
import { optimizerOf, setState, stateOf } from './packed-optimizer.ts';

/** What a worker knows of a model that cannot be sent to it: what the model was compiled with. */
export interface ServeReplicaOptions {
  /** The loss, where the model was compiled with a function. */
  readonly loss?: tfl.ModelCompileArgs['loss'];
  /** The metrics, where the model was compiled with functions. */
  readonly metrics?: tfl.ModelCompileArgs['metrics'];
  /** Makes the optimizer, where its class is not one that TensorFlow.js knows by its name. */
  readonly optimizer?: () => tf.Optimizer;
}

/**
 * Everything that a replica of a model needs.
 *
 * @throws {ReplicaSetupError} if the model is not compiled, or its optimizer cannot save its state.
 */
export async function packModel(model: tfl.LayersModel): Promise<PackedModel> {
  const { optimizer } = model as { optimizer?: tf.Optimizer };
  if (optimizer === undefined || optimizer === null) {
    throw new ReplicaSetupError(
      `trainReplicas: expected model '${model.name}' to be compiled. Call model.compile first.`,
    );
  }
  const { loss, metrics } = model as unknown as { loss: unknown; metrics: unknown };
  const state = await stateOf(optimizer);
  const artifacts = await new Promise<tf.io.ModelArtifacts>((resolve, reject) => {
    const handler = tf.io.withSaveHandler(async (artifacts) => {
      resolve(artifacts);
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    model.save(handler).catch(reject);
  });
  return {
    artifacts,
    trained: trainedWeights(model).map(({ originalName, trainable }) => ({ name: originalName, trainable })),
    settings: settingsIn(model),
    optimizer: { className: optimizer.getClassName(), config: optimizer.getConfig(), state },
    ...(hasFunction(loss) ? {} : { loss }),
    ...(hasFunction(metrics) ? {} : { metrics }),
  };
}

/** The model again, compiled, with its optimizer where it was. */
export async function unpackModel(packed: PackedModel, parts: ServeReplicaOptions): Promise<tfl.LayersModel> {
  const loss = parts.loss ?? packed.loss;
  if (loss === undefined) {
    throw new ReplicaSetupError(
      'serveReplica: the model was compiled with a function as its loss, which cannot be sent to another thread. Pass it ' +
        'here, too: serveReplica(port, { loss }).',
    );
  }
  const optimizer = parts.optimizer?.() ?? optimizerOf(packed);
  const model = await tfl.loadLayersModel(tf.io.fromMemory(packed.artifacts));
  restoreSettings(model, packed.settings);
  const metrics = parts.metrics ?? packed.metrics;
  model.compile({ optimizer, loss, ...(metrics === undefined ? {} : { metrics }) } as tfl.ModelCompileArgs);
  restoreTrained(model, packed.trained);
  await setState(optimizer, packed.optimizer.state);
  return model;
}

/** Where a model and its optimizer are after so many steps. */
export async function packState(model: tfl.LayersModel, steps: number): Promise<PackedState> {
  const named = model.weights.map((weight) => ({ name: weight.originalName, tensor: weight.read() }));
  return { steps, weights: await encode(named), optimizer: await stateOf(model.optimizer) };
}

/**
 * Brings a model and its optimizer there. The weights are written last, all at once.
 *
 * @throws {ReplicaSetupError} if the weights are not those of the model, such as of layers that have changed meanwhile.
 *   Nothing is written then.
 */
export async function writeState(model: tfl.LayersModel, { weights, optimizer }: PackedState): Promise<void> {
  const decoded = tf.io.decodeWeights(weights.data, weights.specs);
  try {
    // By name: their order depends on what is frozen, and how.
    const byName = new Map(Object.entries(decoded).map(([name, value]) => [nameIn(name), value]));
    const writes = model.weights.map((weight) => {
      const value = byName.get(weight.originalName);
      if (value !== undefined && tf.util.arraysEqual(value.shape, weight.shape as number[])) {
        return { variable: weight.read() as tf.Variable, value };
      }
      throw new ReplicaSetupError(
        `trainReplicas: expected a value of shape [${weight.shape}] for weight '${weight.originalName}' from the ` +
          `replicas, got ${value === undefined ? 'none' : `[${value.shape}]`}. Do not change the model while it trains.`,
      );
    });
    await setState(model.optimizer, optimizer);
    // Past the constraints of `write`: the values are those that training has left, to the bit.
    for (const { variable, value } of writes) variable.assign(value);
  } finally {
    tf.dispose(decoded);
  }
}

/** The weights that the optimizer of a compiled model is given, in its order. */
export function trainedWeights(model: tfl.LayersModel): readonly tfl.LayerVariable[] {
  return compiledPart(model).collectedTrainableWeights;
}

/** Where tf.layers keeps what it has compiled: a sequential model leaves its training to a model inside. */
function compiledPart(model: tfl.LayersModel): { collectedTrainableWeights: readonly tfl.LayerVariable[] } {
  return ((model as { model?: unknown }).model ?? model) as ReturnType<typeof compiledPart>;
}

/** Of a model, which has not been saved with it: a nested model that is frozen is loaded unfrozen. */
function restoreTrained(model: tfl.LayersModel, trained: PackedModel['trained']): void {
  const byName = new Map(model.weights.map((weight) => [weight.originalName, weight]));
  compiledPart(model).collectedTrainableWeights = trained.map(({ name, trainable }) => {
    const weight = byName.get(name)!;
    weight.trainable = trainable;
    return weight;
  });
}

function settingsIn(model: tfl.LayersModel): PackedModel['settings'] {
  const settings: Record<string, StatisticsSettings> = {};
  for (const layer of batchNormLayers(model)) {
    if (!(layer instanceof BatchNormalization)) continue;
    const { trainingStatistics, inferenceStatistics, singleValue, frozen } = layer;
    const { normalizationBatchSize, normalizationBatchOrder } = layer;
    settings[layer.name] = {
      trainingStatistics,
      inferenceStatistics,
      normalizationBatchSize,
      normalizationBatchOrder,
      singleValue,
      frozen,
    };
  }
  return settings;
}

/** Where @rebatch/layers is not registered, its layers have been loaded as the stock ones. */
function restoreSettings(model: tfl.LayersModel, settings: PackedModel['settings']): void {
  for (const layer of batchNormLayers(model)) {
    const { frozen, ...own } = settings[layer.name] ?? {};
    if (settings[layer.name] === undefined || layer instanceof BatchNormalization) continue;
    Object.assign(convert(layer), own);
    if (frozen !== undefined) freezeBatchNorm(layer, frozen);
  }
}

function hasFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasFunction);
}
