import type * as tfl from '@tensorflow/tfjs-layers';
import { stockModel } from './stock-model.ts';

/**
 * A new model of tf.layers' own layers that predicts what the model does, for shipping: whoever loads it needs nothing of
 * Rebatch. It undoes `convert`, and `convertToSync`, ghost and shuffled layers of `@rebatch/leakage`: each becomes the
 * stock layer, or what it wraps, under the name that this has. Frozen layers become the stock layer, too, which trains
 * on as such. Layer and weight names, their order, and what is shared are those of the model built with stock layers.
 *
 * Layers of tf.layers are copied, and so are those of the user's own classes, which the new model still needs. Outputs are
 * equal but for the rounding of one normalization.
 *
 * @param model a Sequential or functional model, nested models and wrapped layers included. It stays as it is.
 * @returns a model with weights of its own, not compiled.
 * @throws {StockError} naming the layer and what to do, for what the stock layer cannot do, or gets wrong: inference by batch
 *   statistics, a channel axis that is not the last, rank 5 and more, an int32 input. For classes derived from ours, which
 *   answer for themselves by overriding `stockLayer`. And if the model is not built, or a layer cannot be copied.
 * @throws {DomainError} for layers of several domains: choose one with `toStock` of `@rebatch/domains`.
 * @throws {NotAModelError} for anything that is no model.
 */
export function toStock<Model extends tfl.LayersModel>(model: Model): Model {
  return stockModel(model);
}
