/**
 * Watching layers while a model runs. A layer's `call` is shadowed by a property of the instance, which works for
 * stock, converted and wrapped layers alike, and only for the length of one synchronous forward: no other user of
 * the model ever meets it.
 */

import type { BatchNormLayer, CallArguments } from '@rebatch/layers';
import type * as tf from '@tensorflow/tfjs-core';

/** One application of a layer during one forward: the `index`-th call of the `layer`-th layer. */
export interface Call {
  readonly layer: number;
  readonly index: number;
}

/**
 * Stands in for the layer's own computation. `batch` are the moments of the normalization batch, where x is only a part
 * of it (`CallArguments.batchMoments` of `@rebatch/layers`).
 */
export type CallHook = (call: Call, x: tf.Tensor, batch?: CallArguments['batchMoments']) => tf.Tensor;

/**
 * Runs `body` with every call of the layers going to `hook`; the layers are themselves again when it returns or throws.
 * `body` is synchronous, as the forward of a model is: nothing that runs later is intercepted.
 */
export function interceptCalls<T>(layers: readonly BatchNormLayer[], hook: CallHook, body: () => T): T {
  const undo: (() => void)[] = [];
  try {
    layers.forEach((layer, number) => {
      let calls = 0;
      undo.push(
        shadow(layer, 'call', (inputs: tf.Tensor | tf.Tensor[], kwargs?: CallArguments) => {
          const x = Array.isArray(inputs) ? inputs[0]! : inputs;
          return hook({ layer: number, index: calls++ }, x, kwargs?.batchMoments);
        }),
      );
    });
    return body();
  } finally {
    for (const restore of undo.reverse()) restore();
  }
}

/** Gives an object its own property `key` until the returned function is called. */
export function shadow<K extends PropertyKey>(target: object, key: K, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, { value, configurable: true, enumerable: false, writable: true });
  return () => {
    if (before) Object.defineProperty(target, key, before);
    else delete (target as Record<PropertyKey, unknown>)[key];
  };
}
