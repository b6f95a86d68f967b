import type * as tfl from '@tensorflow/tfjs-layers';
import { checkLayer } from './check-model.ts';
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
 * @throws {NotAModelError} for anything that is neither model nor layer.
 */
export function batchNormLayers(model: tfl.layers.Layer): BatchNormLayer[] {
  checkLayer('batchNormLayers', model);
  return layersIn(model).filter(isBatchNorm);
}

/** Visits the layers directly inside of a layer. */
export function eachChild(layer: tfl.layers.Layer, visit: (child: tfl.layers.Layer) => void): void {
  // Loops without lists between: every switch of a model's statistics goes through all of its layers.
  for (const key of 'forwardLayer' in layer ? BIDIRECTIONAL : CHILDREN) {
    const inside = (layer as unknown as Record<string, unknown>)[key];
    if (Array.isArray(inside)) {
      for (const child of inside) if (isObject(child)) visit(child);
    } else if (isObject(inside)) visit(inside);
  }
}

/** What tf.layers keeps in these fields is a layer if it is an object. */
function isObject(child: unknown): child is tfl.layers.Layer {
  return typeof child === 'object' && child !== null;
}

/** A model or layer, and all that tf.layers knows to be inside: the walk behind `batchNormLayers`. */
export function layersIn(model: tfl.layers.Layer): tfl.layers.Layer[] {
  const seen = new Set<tfl.layers.Layer>();
  const visit = (layer: tfl.layers.Layer): void => {
    if (seen.has(layer)) return;
    seen.add(layer);
    eachChild(layer, visit);
  };
  visit(model);
  return [...seen];
}
