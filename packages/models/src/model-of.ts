import { refuseForeign } from '@rebatch/layers/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { isLayersModel, noModel } from './layers-model/check.ts';
import { layersModel } from './layers-model/layers-model.ts';
import { isNormalizedModel, type NormalizedModel } from './normalized-model.ts';

/** What every tool of Rebatch takes for a model: one of tf.layers, or any other kind behind its adapter. */
export type AnyModel = tfl.LayersModel | NormalizedModel;

/**
 * A model behind the interface: as it is if it implements it, with `layersModel` if it is of tf.layers.
 *
 * @param caller what was called, for the message.
 * @throws {NotAModelError} for anything else; it says what came, and what to do. {ForeignLayerError} of `@rebatch/layers`
 *   for a model of another copy of tfjs-layers. {NoBatchNormError} for a model of
 *   tf.layers that has no batch normalization layer or is not built.
 */
export function modelOf(caller: string, model: AnyModel): NormalizedModel {
  if (isNormalizedModel(model)) return model;
  if (isLayersModel(model)) {
    refuseForeign(caller, model);
    return layersModel(model);
  }
  throw noModel(caller, 'a model of tf.layers, or one behind an adapter', model);
}
