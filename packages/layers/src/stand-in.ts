// Standing in for a layer's computation for a while: the one place that touches a layer's `call`. It is a property of the
// instance, which works for stock, converted and wrapped layers alike, and the layer's class never learns of it.
import type * as tf from '@tensorflow/tfjs-core';
import type { CallArguments } from './layer-math.ts';

/** A layer's computation, as tf.layers invokes it. */
export type Call = (inputs: tf.Tensor | tf.Tensor[], kwargs?: CallArguments) => tf.Tensor | tf.Tensor[];

/** Computes in a layer's place. `original` is what would have computed: the layer itself, or an earlier stand-in. */
export type StandIn = (original: Call, ...call: Parameters<Call>) => ReturnType<Call>;

type Layer = { call: unknown };

/**
 * The stand-ins of a layer, the innermost last. One object and one function: a model of many small layers puts as many in
 * place for each batch.
 */
class Stood {
  readonly standIns: StandIn[] = [];
  readonly #layer: Layer;
  readonly #before: PropertyDescriptor | undefined;

  constructor(layer: Layer) {
    this.#layer = layer;
    this.#before = Object.getOwnPropertyDescriptor(layer, 'call');
    const value: Call = (...args) => this.#run(this.standIns.length, args);
    Object.defineProperty(layer, 'call', { value, configurable: true, enumerable: false, writable: true });
  }

  remove(standIn: StandIn): void {
    const at = this.standIns.indexOf(standIn);
    if (at < 0) return;
    this.standIns.splice(at, 1);
    if (this.standIns.length > 0) return;
    if (this.#before) Object.defineProperty(this.#layer, 'call', this.#before);
    else delete (this.#layer as { call?: unknown }).call;
    stood.delete(this.#layer);
  }

  /** What computes under that many stand-ins: the outermost of them, or the layer itself. */
  #run(count: number, args: Parameters<Call>): ReturnType<Call> {
    if (count > 0) return this.standIns[count - 1]!((...inner) => this.#run(count - 1, inner), ...args);
    // Looked up when it is called: meanwhile the layer may have been converted, which changes its class.
    const before = this.#before;
    const call = before === undefined ? Object.getPrototypeOf(this.#layer).call : before.value;
    return call.apply(this.#layer, args);
  }
}

const stood = new WeakMap<Layer, Stood>();

/**
 * Puts `standIn` in the place of a layer's computation until the returned function is called. Stand-ins of one layer lie
 * over each other, the newest outermost, and may be taken away in any order.
 */
export function standIn(layer: Layer, standIn: StandIn): () => void {
  const all = put(layer, standIn);
  let there = true;
  return () => {
    if (there) all.remove(standIn);
    there = false;
  };
}

/** Whether anything stands in for the layer at the moment. */
export function isStoodInFor(layer: Layer): boolean {
  return stood.has(layer);
}

/**
 * Runs a synchronous function with every call of the layers going to `standIn`, along with the layer's position. The layers
 * are themselves again when this returns or throws.
 */
export function withStandIns<T>(
  layers: readonly Layer[],
  makeStandIn: (position: number) => StandIn,
  body: () => T,
): T {
  const there: { readonly all: Stood; readonly standIn: StandIn }[] = [];
  try {
    for (let position = 0; position < layers.length; position++) {
      const standIn = makeStandIn(position);
      there.push({ all: put(layers[position]!, standIn), standIn });
    }
    return body();
  } finally {
    for (const { all, standIn } of there.reverse()) all.remove(standIn);
  }
}

function put(layer: Layer, standIn: StandIn): Stood {
  let all = stood.get(layer);
  if (all === undefined) {
    all = new Stood(layer);
    stood.set(layer, all);
  }
  all.standIns.push(standIn);
  return all;
}
