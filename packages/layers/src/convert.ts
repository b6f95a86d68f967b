import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from './batch-norm-layers.ts';
import { BatchNormalization } from './batch-normalization.ts';
import { obey, saidIn } from './calls-in-graphs.ts';
import { checkLayer } from './check-model.ts';
import { isStock, StockBatchNormalization } from './stock.ts';
import { foreign } from './two-copies.ts';

/**
 * Turns every stock batch normalization layer of a model into ours, in place, and returns the same model. Nested models
 * and wrapped layers are included. Weights, names, graph, compilation and optimizer state stay as they are; so does a
 * model that has no such layer, or was converted before. Classes that a user derived from the stock one are left alone.
 *
 * What calls in the model's graph say of training holds from then on, where tf.layers passes over it: a model from Keras
 * whose `layer(x, training=True)` normalizes by the batch in inference, too, then does; a nested model that was called with
 * `training=False` trains on population statistics. That of a nested model is known to nothing else.
 *
 * The layers stay the same objects and only change their class (ours extends the stock one; its settings are kept
 * beside it and have their defaults). New objects would have to be spliced into the nodes of a graph that is already
 * built, would get new variables, and so lose the optimizer's state, and would leave references that the user holds
 * pointing at dead layers.
 *
 * @param model any model, compiled or not, or a single layer.
 * @throws {NotAModelError} for anything else. {ForeignLayerError} if a layer comes from another copy of tfjs-layers.
 *   {InvalidInputError} if calls of one layer say different things of training. Nothing is converted then.
 */
export function convert<Model extends tfl.layers.Layer>(model: Model): Model {
  checkLayer('convert', model);
  const layers = batchNormLayers(model);
  const other = layers.find((layer) => !isOwnCopy(layer));
  if (other !== undefined) throw foreign('convert', `'${other.name}' of model '${model.name}'`);
  const said = saidIn(model);
  for (const layer of layers) {
    if (isStock(layer)) Object.setPrototypeOf(layer, BatchNormalization.prototype);
    if (layer instanceof BatchNormalization) obey(layer, said.get(layer));
  }
  return model;
}

function isOwnCopy(layer: object): boolean {
  return layer instanceof StockBatchNormalization;
}
