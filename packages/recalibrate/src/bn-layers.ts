/** A batch normalization layer, stock or converted, as this package sees it. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { NoBatchNormError } from './errors.ts';

type LayerVariable = tfl.LayerVariable;

/** The members that the stock layer keeps private, under the names that every version since 1.0 has. */
export interface BatchNormLayer extends tfl.layers.Layer {
  readonly axis: number;
  readonly epsilon: number;
  readonly gamma?: LayerVariable | null;
  readonly beta?: LayerVariable | null;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
}

/**
 * The batch normalization layers of a model, in the order of its layers, nested models and wrappers included.
 *
 * @throws {NoBatchNormError} if there is none, or the model is not built.
 */
export function findBatchNormLayers(model: tfl.LayersModel): BatchNormLayer[] {
  if (model.inputs === undefined || model.inputs.length === 0) {
    throw new NoBatchNormError(
      `Model '${model.name}' is not built, so its layers have no statistics yet. ` +
        'Give its first layer an inputShape, or call model.build(inputShape).',
    );
  }
  const found = new Set<BatchNormLayer>();
  const visit = (layer: unknown): void => {
    if (typeof layer !== 'object' || layer === null || !('getClassName' in layer)) return;
    const node = layer as tfl.layers.Layer & Record<string, unknown>;
    if (node.getClassName() === 'BatchNormalization') found.add(node as unknown as BatchNormLayer);
    for (const inner of [
      node.layers,
      node.layer,
      node.forwardLayer,
      node.backwardLayer,
      node.cell,
      node.cells,
    ]) {
      if (Array.isArray(inner)) inner.forEach(visit);
      else visit(inner);
    }
  };
  visit(model);
  if (found.size === 0) {
    throw new NoBatchNormError(
      `Model '${model.name}' has no batch normalization layer among its ${model.layers.length} layers, ` +
        'so it has no statistics to recompute.',
    );
  }
  return [...found];
}

/** What core's ops need to know of the layer. */
export function normalizeOptions(layer: BatchNormLayer) {
  const read = (weight: LayerVariable | null | undefined): tf.Tensor | undefined => weight?.read();
  return {
    axis: layer.axis,
    epsilon: layer.epsilon,
    gamma: read(layer.gamma),
    beta: read(layer.beta),
    name: layer.name,
  };
}

/** How many channels the layer has statistics for. */
export function channelsOf(layer: BatchNormLayer): number {
  return layer.movingMean.shape[0]!;
}
