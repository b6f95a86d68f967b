// FrozenBN: a batch normalization layer as the fixed affine map that it is in inference, also while the model trains.
import { InvalidInputError } from '@rebatch/core';
import { checkOptions } from '@rebatch/stats/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from './batch-norm-layers.ts';
import { BatchNormalization } from './batch-normalization.ts';
import { checkLayer } from './check-model.ts';
import { convert } from './convert.ts';
import { refuseDerived } from './derived.ts';
import { changeSettings, type FrozenAffine, frozenAffine } from './settings.ts';

/** Options of `freezeBatchNorm`. */
export interface FreezeOptions {
  /**
   * Whether gamma and beta are constants, too (default), as in detectron2's FrozenBatchNorm2d: no gradient, no update,
   * no effect of their regularizers; or are trained on.
   */
  readonly affine?: FrozenAffine;
}

/**
 * Freezes all batch normalization layers of a model: from now on they normalize by their population statistics in
 * training, too, and leave them as they are ("Rethinking 'Batch' in BatchNorm", section 4.3: in the last epochs, after
 * PreciseBN, it takes away the gap between training and inference). Gradients are exactly those of that affine map.
 *
 * Stock layers are converted in place. The model may be compiled and in the middle of its training: `trainable` flags,
 * the optimizer and its state are not touched, nor are the layers' own settings, which hold again after
 * `unfreezeBatchNorm`. A frozen model is saved frozen. Freezing again changes only how the affine part is treated.
 *
 * With `'fixed'` a layer has nothing to train: where nothing else of the model is trainable, `fit` throws tfjs's "Cannot
 * find a connection between any variable and the result of the loss function". Freeze such a model with `'trainable'`.
 *
 * @param model any model, or a single layer; harmless on a model without batch normalization.
 * @returns the same model.
 * @throws {NotAModelError} for anything that is neither.
 * @throws {ForeignLayerError} if a layer comes from another copy of tfjs-layers. Nothing is frozen then.
 * @throws {InvalidInputError} if `affine` is neither, an option has another name, or a layer's class was derived from the stock one by a user, so
 *   that it computes by itself. Nothing is frozen then.
 */
export function freezeBatchNorm<Model extends tfl.layers.Layer>(
  model: Model,
  options: FreezeOptions = {},
): Model {
  checkLayer('freezeBatchNorm', model);
  checkOptions('freezeBatchNorm', options, { affine: frozenAffine }, InvalidInputError);
  const { affine = 'fixed' } = options;
  const layers = batchNormLayers(model);
  refuseDerived('freezeBatchNorm', model, layers);
  convert(model);
  for (const layer of layers) changeSettings(layer, { frozen: { affine } });
  return model;
}

/**
 * The inverse of `freezeBatchNorm`, for any model or a single layer: the layers choose their statistics as they did before, and gamma and beta are
 * trained as before. Layers that were stock stay converted. Harmless on layers that are not frozen.
 *
 * @returns the same model.
 * @throws {NotAModelError} for anything that is neither.
 */
export function unfreezeBatchNorm<Model extends tfl.layers.Layer>(model: Model): Model {
  checkLayer('unfreezeBatchNorm', model);
  for (const layer of batchNormLayers(model)) {
    if (layer instanceof BatchNormalization && layer.frozen !== undefined) {
      changeSettings(layer, { frozen: undefined });
    }
  }
  return model;
}
