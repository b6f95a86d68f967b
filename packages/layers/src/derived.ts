// Classes that users derived from the stock layer: they may compute anything, so we cannot compute in their place.
import { InvalidInputError } from '@rebatch/core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { BatchNormalization } from './batch-normalization.ts';
import { type BatchNormLayer, isStock, StockBatchNormalization } from './stock.ts';

/**
 * @param caller what was called, for the message.
 * @throws {InvalidInputError} if any of the model's layers is of a class derived from the stock one, and not from ours.
 */
export function refuseDerived(
  caller: string,
  model: tfl.layers.Layer,
  layers: readonly BatchNormLayer[],
): void {
  const derived = layers.find(
    (layer) =>
      layer instanceof StockBatchNormalization && !(layer instanceof BatchNormalization) && !isStock(layer),
  );
  if (derived === undefined) return;
  throw new InvalidInputError(
    `${caller}: layer '${derived.name}' of model '${model.name}' is of a class of its own ` +
      `(${derived.constructor.name}), which computes by itself. Derive the class from BatchNormalization of ` +
      '@rebatch/layers.',
  );
}
