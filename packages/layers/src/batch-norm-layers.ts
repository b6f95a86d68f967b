import type * as tfl from '@tensorflow/tfjs-layers';
import { type BatchNormLayer, isBatchNorm } from './stock.ts';

/** Where layers of tf.layers keep other layers: models, wrappers, RNN, stacked RNN cells. */
const CHILDREN = ['layers', 'layer', 'cell', 'cells'];
/** Bidirectional runs two copies of its `layer`, never that layer itself. */
const BIDIRECTIONAL = ['forwardLayer', 'backwardLayer'];

/**
 * The batch normalization layers of a model or layer, stock ones and ours: in the order of `model.layers`, nested
 * models and wrappers (TimeDistributed, Bidirectional, RNN cells) included, each once however often it is applied.
 * Layers that a custom layer holds in fields of its own are not found; pass such a layer's parts themselves.
 *
 * @returns an empty array if there are none.
 */
export function batchNormLayers(model: tfl.layers.Layer): BatchNormLayer[] {
  const seen = new Set<object>();
  const visit = (layer: unknown): void => {
    if (typeof layer !== 'object' || layer === null || seen.has(layer)) return;
    seen.add(layer);
    for (const key of 'forwardLayer' in layer ? BIDIRECTIONAL : CHILDREN) {
      const child = (layer as Record<string, unknown>)[key];
      if (Array.isArray(child)) child.forEach(visit);
      else visit(child);
    }
  };
  visit(model);
  return [...seen].filter(isBatchNorm);
}
