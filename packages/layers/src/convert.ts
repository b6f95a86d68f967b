import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from './batch-norm-layers.ts';
import { BatchNormalization } from './batch-normalization.ts';
import { ForeignLayerError } from './errors.ts';
import { isStock, StockBatchNormalization } from './stock.ts';

/**
 * Turns every stock batch normalization layer of a model into ours, in place, and returns the same model. Nested models
 * and wrapped layers are included. Weights, names, graph, compilation and optimizer state stay as they are; so does a
 * model that has no such layer, or was converted before. Classes that a user derived from the stock one are left alone.
 *
 * The layers stay the same objects and only change their class (ours extends the stock one; its settings are kept
 * beside it and have their defaults). New objects would have to be spliced into the nodes of a graph that is already
 * built, would get new variables, and so lose the optimizer's slots, and would leave references that the user holds
 * pointing at dead layers.
 *
 * @param model any model, compiled or not, or a single layer.
 * @throws {ForeignLayerError} if a layer comes from another copy of tfjs-layers. Nothing is converted then.
 */
export function convert<Model extends tfl.layers.Layer>(model: Model): Model {
  const layers = batchNormLayers(model);
  const foreign = layers.find((layer) => !isOwnCopy(layer));
  if (foreign !== undefined) {
    throw new ForeignLayerError(
      `Layer '${foreign.name}' of model '${model.name}' is a batch normalization layer, but not of the copy of ` +
        '@tensorflow/tfjs-layers that @rebatch/layers uses. Install a single copy (npm ls @tensorflow/tfjs-layers), ' +
        'and build the model with it.',
    );
  }
  for (const layer of layers) {
    if (isStock(layer)) Object.setPrototypeOf(layer, BatchNormalization.prototype);
  }
  return model;
}

function isOwnCopy(layer: object): boolean {
  return layer instanceof StockBatchNormalization;
}
