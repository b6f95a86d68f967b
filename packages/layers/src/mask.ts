// The mask of a layer's input: which of its steps count, where some only fill a sequence up.
//
// tf.layers puts the mask of a layer's first input into the arguments of its call, and leaves it there for all layers that
// run later, also behind one that ends it, or on another branch. So a mask that comes along may be that of another tensor.
// Which tensors of a graph have one can be told by its layers: each says whether it passes masks on, and makes some.
import { InvalidInputError } from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { channelAxis } from './channel-axis.ts';
import type { CallArguments } from './layer-math.ts';
import type { BatchNormLayer } from './stock.ts';

type Layer = tfl.layers.Layer;
/** Where the mask of a tensor in a graph comes from: a layer of the graph, its inputs, or nowhere. */
type Source = 'graph' | 'inputs' | 'none';

/**
 * The mask of a layer's input, bool, in the shape of x without its channels, which are its last axis; undefined where all
 * of x counts.
 *
 * @throws {InvalidInputError} if the layer is applied several times in a graph, to tensors with and without a mask.
 */
export function maskOf(layer: BatchNormLayer, x: tf.Tensor, kwargs: CallArguments): tf.Tensor | undefined {
  const axis = channelAxis(layer);
  if (axis !== -1 && axis !== x.rank - 1) return undefined;
  const mask = arrivingMask(layer, x, kwargs);
  return mask?.rank === x.rank - 1 ? mask : undefined;
}

/** The same of a layer of any kind, in the shape of the first axes of x. */
export function arrivingMask(layer: Layer, x: tf.Tensor, { mask }: CallArguments): tf.Tensor | undefined {
  if (!(mask instanceof tf.Tensor) || mask.isDisposed || x.isDisposed || x.size === 0) return undefined;
  if (mask.rank < 1 || mask.rank >= x.rank || mask.shape.some((size, i) => size !== x.shape[i]))
    return undefined;
  if (!arrives(layer, x)) return undefined;
  return mask.dtype === 'bool' ? mask : tf.notEqual(mask, tf.zerosLike(mask));
}

/** Whether the mask that came along is that of x, as far as the graph tells. Without a graph, whoever calls knows. */
function arrives(layer: Layer, x: tf.Tensor): boolean {
  const calls = layer.inboundNodes.filter(
    ({ inboundLayers, inputShapes }) => inboundLayers.length > 0 && fits(x, (inputShapes as tfl.Shape[])[0]),
  );
  const known = new Map<tfl.SymbolicTensor, Source>();
  const sources = calls.map(({ inputTensors }) => sourceOf(inputTensors[0]!, known));
  // What comes in by the inputs is known to the caller, such as the model around a nested one; unless it is left from
  // another branch.
  const masked = sources.map(
    (source) => source === 'graph' || (source === 'inputs' && !graphOf(layer).some(makesMasks)),
  );
  if (masked.every((own) => own === masked[0])) return masked[0] ?? true;
  throw new InvalidInputError(
    `Layer '${layer.name}': expected a mask for all inputs of this shape that it is applied to in the graph, or for none. ` +
      'tf.layers does not tell a layer which of its calls runs: use a layer for each, or mask all inputs.',
  );
}

function fits(x: tf.Tensor, shape: tfl.Shape | undefined): boolean {
  return (
    shape === undefined ||
    (shape.length === x.rank && shape.every((size, axis) => size == null || size === x.shape[axis]))
  );
}

function sourceOf(tensor: tfl.SymbolicTensor, known: Map<tfl.SymbolicTensor, Source>): Source {
  const before = known.get(tensor);
  if (before !== undefined) return before;
  const source = found(tensor, known);
  known.set(tensor, source);
  return source;
}

function found(tensor: tfl.SymbolicTensor, known: Map<tfl.SymbolicTensor, Source>): Source {
  const { sourceLayer, inputs } = tensor;
  if (inputs.length === 0) return 'inputs';
  if (!sourceLayer.supportsMasking) return 'none';
  if (makesMasks(sourceLayer)) return 'graph';
  // A recurrent layer's states have none, nor has its last output.
  const { returnSequences } = sourceLayer as { returnSequences?: boolean };
  if (returnSequences === false || (returnSequences !== undefined && tensor.tensorIndex > 0)) return 'none';
  const merges = hasOwnRule(sourceLayer) ? inputs : inputs.slice(0, 1);
  const sources = merges.map((input) => sourceOf(input, known));
  return (
    sources.find((source) => source === 'graph') ?? sources.find((source) => source === 'inputs') ?? 'none'
  );
}

/** Whether a layer has a rule of its own for what becomes of masks. Else it passes on that of its first input. */
function hasOwnRule(layer: Layer): boolean {
  return layer.computeMask !== tfl.layers.Layer.prototype.computeMask;
}

/** Whether a layer makes a mask of values, as masking and embedding do. Recurrent and merging layers only pass some on. */
function makesMasks(layer: Layer): boolean {
  return (
    layer.supportsMasking &&
    hasOwnRule(layer) &&
    !('returnSequences' in layer) &&
    layer.inboundNodes.every(({ inboundLayers }) => inboundLayers.length < 2)
  );
}

/** All layers that are connected with a layer in some way. */
function graphOf(layer: Layer): Layer[] {
  const all = new Set([layer]);
  for (const one of all) {
    for (const { inboundLayers } of one.inboundNodes) for (const before of inboundLayers) all.add(before);
    for (const { outboundLayer } of one.outboundNodes) all.add(outboundLayer);
  }
  return [...all];
}
