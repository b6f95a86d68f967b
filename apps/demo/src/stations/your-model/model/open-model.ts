// From artifacts to a model in memory, and what there is to say about it.

// Every class of layers that Rebatch saves is known from here on.
import '@rebatch/domains/register';
import '@rebatch/layers/register';
import '@rebatch/leakage/register';
import { findBatchNormLayers } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { FileProblem } from '../files/file-problem.ts';
import type { ModelArtifacts } from '../files/read-model.ts';
import type { ModelInfo, Scaling } from '../settings.ts';

/**
 * Builds the model.
 *
 * @throws {FileProblem} (rejects) if tfjs cannot build it, if it has no batch normalization, or if its input is no image.
 */
export async function openModel({ name, json, specs, data }: ModelArtifacts): Promise<tfl.LayersModel> {
  let model: tfl.LayersModel;
  try {
    model = await tfl.loadLayersModel(
      // Without the training configuration: nothing is trained here, and it may name losses that only its code has.
      tf.io.fromMemory({
        modelTopology: json.modelTopology,
        weightSpecs: [...specs],
        weightData: data.buffer,
      }),
    );
  } catch (error) {
    throw new FileProblem(explain(name, error instanceof Error ? error.message : String(error)));
  }
  try {
    findBatchNormLayers(model);
    checkInput(model);
    return model;
  } catch (error) {
    model.dispose();
    const why = error instanceof Error ? error.message : String(error);
    throw new FileProblem(`${why} What this station looks at are models of images with batch normalization.`);
  }
}

/** What tfjs says rarely says what to do. */
function explain(name: string, message: string): string {
  const hint = /Unknown layer: ?(\w+)/.exec(message)
    ? 'It has a layer of its own code, which only the page that made it has. Stock layers and those of Rebatch are known.'
    : /batchInputShape|inbound|batch_shape/i.test(message)
      ? 'Models saved by Keras 3 are written in a way that tfjs does not read: save it with Keras 2 (the package ' +
        'tf_keras) and convert that.'
      : 'Is it a layers model whose weights are those of its topology?';
  return `‘${name}’ could not be loaded: ${message.slice(0, 400)} ${hint}`;
}

function checkInput(model: tfl.LayersModel): void {
  const shape = model.inputs[0]?.shape ?? [];
  const channels = shape.at(-1);
  if (
    model.inputs.length === 1 &&
    shape.length === 4 &&
    (channels === 1 || channels === 3 || channels === 4)
  ) {
    return;
  }
  const came = model.inputs
    .map(({ shape: own }) => `[${own.map((size) => size ?? '?').join(', ')}]`)
    .join(' and ');
  throw new Error(
    `Expected one input of images, [samples, height, width, 1, 3 or 4 channels], but the model takes ${came}. For other ` +
      'inputs use @rebatch/inspect and @rebatch/recalibrate in your own code: they take any.',
  );
}

/** What is told about a model that {@link openModel} has accepted. */
export function describeModel(name: string, model: tfl.LayersModel): ModelInfo {
  const [, height = null, width = null, channels] = model.inputs[0]!.shape;
  const output = model.outputs.length === 1 ? model.outputs[0]!.shape : [];
  const units = output.length === 2 ? (output[1] ?? null) : null;
  return {
    name,
    layers: model.layers.length,
    batchNormLayers: findBatchNormLayers(model).map((layer) => ({
      name: layer.name,
      channels: layer.movingMean.shape[0]!,
    })),
    parameters: model.countParams(),
    input: [height, width, channels as number],
    classes: units === 1 ? 2 : units,
    suggestedScaling: scalingOf(model),
  };
}

/** A model that scales its input by itself wants what an image file has. */
function scalingOf(model: tfl.LayersModel): Scaling | undefined {
  return model.layers.some((layer) => layer.getClassName() === 'Rescaling') ? '0..255' : undefined;
}

/** The model as its files would be. */
export async function artifactsOf(name: string, model: tfl.LayersModel): Promise<ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  const { modelTopology, weightSpecs = [], weightData } = saved as tf.io.ModelArtifacts;
  const data = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  const json = {
    format: 'layers-model',
    modelTopology: modelTopology as object,
    weightsManifest: [{ paths: [], weights: weightSpecs }],
  };
  return { name, json, specs: weightSpecs, data };
}

/**
 * The names that the layers' means and variances have in the model's files, in the layers' order.
 *
 * @returns undefined if the files name their weights in another way than the layers do.
 */
export function statisticsNames(
  model: tfl.LayersModel,
  { specs }: ModelArtifacts,
): readonly { readonly mean: string; readonly variance: string }[] | undefined {
  const names = new Set(specs.map(({ name }) => name));
  // As loadLayersModel matches them: by name, else without the part that TensorFlow 2.2 added before the last.
  const shortened = new Map(specs.map(({ name }) => [name.split('/').toSpliced(-2, 1).join('/'), name]));
  const find = ({ originalName }: tfl.LayerVariable) =>
    names.has(originalName) ? originalName : shortened.get(originalName);
  const found = findBatchNormLayers(model).map(({ movingMean, movingVariance }) => ({
    mean: find(movingMean),
    variance: find(movingVariance),
  }));
  return found.every(({ mean, variance }) => mean !== undefined && variance !== undefined)
    ? (found as { mean: string; variance: string }[])
    : undefined;
}
