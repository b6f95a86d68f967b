/** The layers whose statistics are recomputed, as this package sees them. */
import { type BatchNormLayer, batchNormLayers, channelAxis } from '@rebatch/layers';
import type * as tfl from '@tensorflow/tfjs-layers';
import { NoBatchNormError } from './errors.ts';

/**
 * The batch normalization layers of a model that have statistics, in the order of `batchNormLayers`: the layers that
 * `captureStatistics` has an entry for.
 *
 * @throws {NoBatchNormError} if there is none, or the model is not built.
 */
export function findBatchNormLayers(model: tfl.LayersModel): BatchNormLayer[] {
  const unbuilt = (who: string) =>
    new NoBatchNormError(
      `${who} is not built, so it has no statistics yet. Give the first layer an inputShape, ` +
        'or call model.build(inputShape).',
    );
  // A Sequential model that waits for its input shape has no inputs, whatever the types say.
  if (!model.inputs?.length) throw unbuilt(`Model '${model.name}'`);
  const layers = batchNormLayers(model);
  if (layers.length === 0) {
    throw new NoBatchNormError(
      `Model '${model.name}' has no batch normalization layer among its ${model.layers.length} layers, ` +
        'so it has no statistics to recompute.',
    );
  }
  // Bidirectional keeps the layer that it was made from beside the two that it uses.
  const built = layers.filter(({ movingMean }) => movingMean !== undefined);
  if (built.length === 0) throw unbuilt(`Layer '${layers[0]!.name}' of model '${model.name}'`);
  return built;
}

/** What the ops of `@rebatch/core` need to know of a layer: axis, epsilon, name, and gamma and beta as they are now. */
export function normalizeOptions(layer: BatchNormLayer) {
  const { epsilon, gamma, beta, name } = layer;
  return { axis: channelAxis(layer), epsilon, gamma: gamma?.read(), beta: beta?.read(), name };
}

/** How many channels a layer has statistics for. */
export function channelsOf(layer: BatchNormLayer): number {
  return layer.movingMean.shape[0]!;
}
