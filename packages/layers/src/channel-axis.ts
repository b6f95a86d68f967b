import { InvalidInputError } from '@rebatch/core';
import { shown } from '@rebatch/stats/~internal';
import type { BatchNormLayer } from './stock.ts';

/**
 * The channel axis of a batch normalization layer as one number (negative counts from the end). Keras writes it as a
 * list of one into its checkpoints, which the stock layer takes over as it is.
 *
 * @throws {InvalidInputError} if it is not one whole number.
 */
export function channelAxis(layer: Pick<BatchNormLayer, 'name' | 'axis'>): number {
  const axis: unknown = Array.isArray(layer.axis) && layer.axis.length === 1 ? layer.axis[0] : layer.axis;
  if (Number.isInteger(axis)) return axis as number;
  throw new InvalidInputError(
    `Layer '${layer.name}': expected axis to be one whole number, got ${shown(layer.axis)}.`,
  );
}
