// Standing in for a layer's `call` for a while, by a property of the instance: it works for stock, converted and
// wrapped layers alike, and the layer's class never learns of it.

import type { CallArguments } from './layer-math.ts';

/** A layer's computation, as tf.layers invokes it. */
export type Call = (inputs: unknown, kwargs?: CallArguments) => unknown;

/** Gives an object its own property `call`, made from the one it has, until the returned function is called. */
export function shadowCall(layer: { call: unknown }, replace: (original: Call) => Call): () => void {
  const before = Object.getOwnPropertyDescriptor(layer, 'call');
  // Looked up when it is called: meanwhile the layer may have been converted, which changes its class.
  const original: Call = (...args) => {
    const call = before === undefined ? Object.getPrototypeOf(layer).call : before.value;
    return call.apply(layer, args);
  };
  const value = replace(original);
  Object.defineProperty(layer, 'call', { value, configurable: true, enumerable: false, writable: true });
  return () => {
    if (before) Object.defineProperty(layer, 'call', before);
    else delete (layer as { call?: unknown }).call;
  };
}
