// Builds a model from what its files hold, and describes it.

// Every class of layers that Rebatch saves is known from here on.
import '@rebatch/domains/register';
import '@rebatch/layers/register';
import '@rebatch/leakage/register';
import { batchNormLayers } from '@rebatch/layers';
import { layersModel } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { KERAS_3 } from '../files/check-model.ts';
import { FileProblem } from '../files/file-problem.ts';
import type { ModelArtifacts } from '../files/read-model.ts';
import { MOST_SIDE, type ModelInfo, type Scaling } from '../settings.ts';
import { withBoundedWeights } from './bounded-weights.ts';
import { checkInput, inputOf, unitsOf } from './image-model.ts';
import { mostAtOnce } from './memory.ts';

/**
 * Builds the model.
 *
 * @throws {FileProblem} (rejects) if tfjs cannot build it, if it has no batch normalization, if its input is no image, or
 *   if one image takes more memory than there is. `readModelFiles` has checked what the files say.
 */
export async function openModel({ name, json, specs, data }: ModelArtifacts): Promise<tfl.LayersModel> {
  let model: tfl.LayersModel;
  try {
    // Without the training configuration: nothing is trained here, and it may name losses that only its code has.
    const handler = tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: [...specs],
      weightData: data.buffer,
    });
    model = await withBoundedWeights(sum(specs.map(({ shape }) => sizeOf(shape))), () =>
      tfl.loadLayersModel(handler),
    );
  } catch (error) {
    throw new FileProblem(explain(name, error instanceof Error ? error.message : String(error)));
  }
  try {
    layersModel(model);
    checkInput(model);
    const [, height, width] = model.inputs[0]!.shape;
    mostAtOnce(model, [height ?? MOST_SIDE, width ?? MOST_SIDE]);
    return model;
  } catch (error) {
    model.dispose();
    if (error instanceof FileProblem) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new FileProblem(`${why} What this station looks at are models of images with batch normalization.`);
  }
}

/** What tfjs says rarely says what to do. */
function explain(name: string, message: string): string {
  const hint = /Unknown layer: ?(\w+)/.exec(message)
    ? 'It has a layer of its own code, which only the page that made it has. Stock layers and those of Rebatch are known.'
    : /batchInputShape|inbound|batch_shape/i.test(message)
      ? KERAS_3
      : 'Is it a layers model whose weights are those of its topology?';
  return `‘${name}’ could not be loaded: ${message.slice(0, 400)} ${hint}`;
}

/** What is told about a model that {@link openModel} has accepted. */
export function describeModel(name: string, model: tfl.LayersModel): ModelInfo {
  const units = unitsOf(model);
  return {
    name,
    kind: 'layers',
    layers: model.layers.length,
    batchNormLayers: builtLayers(model).map((layer) => ({
      name: layer.name,
      channels: layer.movingMean.shape[0]!,
    })),
    needsReference: false,
    parameters: model.countParams(),
    input: inputOf(model),
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
  const found = builtLayers(model).map(({ movingMean, movingVariance }) => ({
    mean: find(movingMean),
    variance: find(movingVariance),
  }));
  return found.every(({ mean, variance }) => mean !== undefined && variance !== undefined)
    ? (found as { mean: string; variance: string }[])
    : undefined;
}

/** The batch normalization layers that have statistics: the sites of the model. */
function builtLayers(model: tfl.LayersModel) {
  return batchNormLayers(model).filter(({ movingMean }) => movingMean !== undefined);
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
