// A model of images, whatever kind it is: one of tf.layers, or a converted graph as its batch norms see it.

import type { NormalizedGraphModel } from '@rebatch/graph-models';
import { layersModel, type Site } from '@rebatch/models';
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

export type ImageModel = tfl.LayersModel | NormalizedGraphModel;

export const isGraph = (model: ImageModel): model is NormalizedGraphModel =>
  !(model instanceof tfl.LayersModel);

/** Whether statistics were folded into its weights: what fits other images is only known relative to some that it works on. */
export const needsReference = (model: ImageModel): boolean =>
  isGraph(model) && model.sites.some(({ folded }) => folded);

/** What is normalized by statistics. */
export const sitesOf = (model: ImageModel): readonly Site[] =>
  isGraph(model) ? model.sites : layersModel(model).sites;

/** Its first output, by the statistics that it has. To be tidied. */
export function outputOf(model: ImageModel, images: tf.Tensor): tf.Tensor {
  const outputs = isGraph(model) ? model.predict(images) : model.apply(images, { training: false });
  return (Array.isArray(outputs) ? outputs[0] : outputs) as tf.Tensor;
}

/** Of its one input: height, width and channels; null where any will do. */
export function inputOf(model: ImageModel): readonly [number | null, number | null, number] {
  const [, height = null, width = null, channels] = model.inputs[0]!.shape;
  return [height, width, channels as number];
}

/** How many numbers it gives for an image; null if that is not one for each class. */
export function unitsOf({ outputs }: ImageModel): number | null {
  const output = outputs.length === 1 ? outputs[0]!.shape : [];
  return output.length === 2 ? (output[1] ?? null) : null;
}

/**
 * @throws {Error} if the model has not one input of images.
 */
export function checkInput(model: ImageModel): void {
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
