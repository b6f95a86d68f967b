// What a batch norm has around it in the graph of its model: a layer that makes values for it alone, and an activation that
// is alone in reading what it makes of them. Both may be known only where a graph says so: what a wrapper or a custom layer
// does inside of itself is not known.
import type { Limits } from '@rebatch/core/kernels';
import {
  type Application,
  applicationsBetween,
  isModel,
  layersIn,
  linearKind,
} from '@rebatch/layers/~internal';
import * as tfl from '@tensorflow/tfjs-layers';

/** The neighbors of a layer whose input nobody else reads. */
export interface Neighbors {
  /** Makes the input, a tensor of its own with each call. */
  readonly before: tfl.layers.Layer;
  /** Alone reads the output, and clips it; undefined where nothing does. */
  readonly after: tfl.layers.Layer | undefined;
}

const { POSITIVE_INFINITY } = Number;

/**
 * The neighbors of those of the layers that have both sides to themselves: that are applied once, to what a stock convolution
 * or dense layer gives, which itself is applied once.
 */
export function neighborsOf(
  model: tfl.LayersModel,
  layers: readonly tfl.layers.Layer[],
): ReadonlyMap<tfl.layers.Layer, Neighbors> {
  const graph = new Graph(model);
  const found = new Map<tfl.layers.Layer, Neighbors>();
  for (const layer of layers) {
    const own = graph.only(layer);
    const input = own?.inputs.length === 1 ? own.inputs[0]! : undefined;
    if (own === undefined || input === undefined || graph.readerOf(input) !== own) continue;
    const before = input.sourceLayer;
    if (linearKind(before) === undefined || graph.only(before) === undefined) continue;
    const after = graph.readerOf(own.outputs[0]!)?.layer;
    const clips = after !== undefined && graph.only(after) !== undefined && clippedBy(after) !== undefined;
    found.set(layer, { before, after: clips ? after : undefined });
  }
  return found;
}

/**
 * Of each layer, whether what it gives, wherever it is applied, is read by layers alone that clip it at 0; through the ends of
 * nested models, too.
 */
export function rectifiedOf(model: tfl.LayersModel, layers: readonly tfl.layers.Layer[]): boolean[] {
  const graph = new Graph(model);
  return layers.map((layer) => graph.isRectified(layer));
}

/** Who uses what in a model and in the models inside of it. */
class Graph {
  /** Each application once: where a Sequential begins with a model, the graphs of both have those of that model. */
  readonly #byLayer = new Map<tfl.layers.Layer, Set<Application['outputs']>>();
  readonly #applications = new Map<Application['outputs'], Application>();
  readonly #readers = new Map<tfl.SymbolicTensor, Set<Application>>();
  /** What goes into a model or comes out of one: who reads it is not known here. */
  readonly #ends = new Set<tfl.SymbolicTensor>();
  readonly #model: tfl.LayersModel;
  /** The models whose outputs a tensor is among. */
  readonly #leaves = new Map<tfl.SymbolicTensor, Set<tfl.LayersModel>>();

  constructor(model: tfl.LayersModel) {
    this.#model = model;
    for (const inner of layersIn(model)) {
      if (!isModel(inner) || !inner.outputs?.length) continue;
      for (const end of [...inner.inputs, ...inner.outputs]) this.#ends.add(end);
      for (const output of inner.outputs) entryOf(this.#leaves, output).add(inner);
      for (const application of applicationsBetween(inner.inputs, inner.outputs)) this.#add(application);
    }
  }

  /** The application of a layer that is applied once; undefined for others, and where the graph does not say. */
  only(layer: tfl.layers.Layer): Application | undefined {
    const all = this.#byLayer.get(layer);
    const [first, ...others] = all ?? [];
    return first === undefined || others.length > 0 ? undefined : this.#applications.get(first);
  }

  /** The application that alone reads a tensor. */
  readerOf(tensor: tfl.SymbolicTensor): Application | undefined {
    const [first, ...others] = this.#readers.get(tensor) ?? [];
    return others.length > 0 || this.#ends.has(tensor) ? undefined : first;
  }

  /** Whether nothing but zero and what is above goes on from all applications of a layer. */
  isRectified(layer: tfl.layers.Layer): boolean {
    const all = [...(this.#byLayer.get(layer) ?? [])].flat();
    return all.length > 0 && all.every((tensor) => this.#isClipped(tensor));
  }

  #isClipped(tensor: tfl.SymbolicTensor): boolean {
    const leaves = [...(this.#leaves.get(tensor) ?? [])];
    // A model that hands on what it takes clips nothing itself.
    if (leaves.some((inner) => inner === this.#model || inner.inputs.includes(tensor))) return false;
    // What comes out of a nested model goes on wherever it is applied.
    const outside = leaves.flatMap((inner) =>
      [...(this.#byLayer.get(inner) ?? [])].map((outputs) => outputs[inner.outputs.indexOf(tensor)]!),
    );
    const readers = [...(this.#readers.get(tensor) ?? [])];
    return (
      readers.length + outside.length > 0 &&
      readers.every((reader) => this.#clips(reader, tensor)) &&
      outside.every((output) => this.#isClipped(output))
    );
  }

  #clips({ layer, inputs }: Application, tensor: tfl.SymbolicTensor): boolean {
    if (!isModel(layer)) return clippedBy(layer) !== undefined;
    const taken = layer.inputs.filter((_, at) => inputs[at] === tensor);
    return taken.every((input) => this.#isClipped(input));
  }

  #add(application: Application): void {
    const { layer, inputs, outputs } = application;
    if (this.#applications.has(outputs)) return;
    this.#applications.set(outputs, application);
    entryOf(this.#byLayer, layer).add(outputs);
    for (const input of inputs) entryOf(this.#readers, input).add(application);
  }
}

function entryOf<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  let entry = map.get(key);
  if (entry === undefined) {
    entry = new Set();
    map.set(key, entry);
  }
  return entry;
}

// The names keep these from using up numbers that automatic layer names are made of.
const reLU = tfl.layers.reLU({ name: 'rebatch_sample' });
const activations = new Map<'relu' | 'relu6', tfl.layers.Layer>();
for (const activation of ['relu', 'relu6'] as const) {
  activations.set(activation, tfl.layers.activation({ activation, name: 'rebatch_sample' }));
}

/** What a layer does if all that it does is to clip, by its settings as they are now. Of the stock classes only. */
export function clippedBy(layer: tfl.layers.Layer): Limits | undefined {
  if (layer.constructor === reLU.constructor) {
    const { maxValue } = layer as unknown as { readonly maxValue?: number | null };
    if (maxValue == null) return { low: 0, high: POSITIVE_INFINITY };
    return maxValue >= 0 ? { low: 0, high: maxValue } : undefined;
  }
  for (const [name, sample] of activations) {
    if (layer.constructor !== sample.constructor) continue;
    if (functionOf(layer) === functionOf(sample)) {
      return { low: 0, high: name === 'relu6' ? 6 : POSITIVE_INFINITY };
    }
  }
  return undefined;
}

/** The class of the function that an activation layer applies. */
function functionOf(layer: tfl.layers.Layer): unknown {
  return (layer as unknown as { readonly activation?: object | null }).activation?.constructor;
}
