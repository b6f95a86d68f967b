import { BatchNormalization, batchNormLayers, convert } from '@rebatch/layers';
import { checkLayer } from '@rebatch/layers/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { checkGroup, type Group } from '../group/group.ts';
import { refuseSplit, SyncBatchNormalization } from './sync-batch-normalization.ts';

/**
 * Turns the batch normalization layers of a model, those of tf.layers and of @rebatch/layers, into synchronized ones, in
 * place, and returns the same model: weights, names, graph, compilation and optimizer state stay as they are. Classes
 * that were derived from either are left alone.
 *
 * @param group as for `setGroup`; without one, a model behaves as before until it has one.
 * @throws {GroupError} if a layer has a `normalizationBatchSize`, or the group is none. Nothing is converted then.
 * @throws {ForeignLayerError} if a layer comes from another copy of tfjs-layers. Nothing is converted then.
 * @throws {NotAModelError} for anything that is neither model nor layer.
 */
export function convertToSync<Model extends tfl.layers.Layer>(model: Model, group?: Group): Model {
  checkLayer('convertToSync', model);
  if (group !== undefined) checkGroup('convertToSync', group);
  for (const layer of ordinaryLayers(model)) refuseSplit(layer);
  for (const layer of ordinaryLayers(convert(model))) {
    Object.setPrototypeOf(layer, SyncBatchNormalization.prototype);
  }
  if (group !== undefined) setGroup(model, group);
  return model;
}

/**
 * Tells the synchronized layers of a model which group they are in.
 *
 * @throws {GroupError} for a group that is none. No layer is told of it then.
 * @throws {NotAModelError} for anything that is neither model nor layer.
 */
export function setGroup(model: tfl.layers.Layer, group: Group): void {
  checkLayer('setGroup', model);
  checkGroup('setGroup', group);
  for (const layer of batchNormLayers(model)) {
    if (layer instanceof SyncBatchNormalization) layer.group = group;
  }
}

/** Those of @rebatch/layers itself, not of classes derived from it. */
function ordinaryLayers(model: tfl.layers.Layer): BatchNormalization[] {
  return batchNormLayers(model).filter(
    (layer) => Object.getPrototypeOf(layer) === BatchNormalization.prototype,
  ) as unknown as BatchNormalization[];
}
