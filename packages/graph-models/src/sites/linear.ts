// Nodes whose weights each belong to one output channel: scaling those scales the channel.
import type { Node } from '../graph/node.ts';
import { isSet, textOf } from '../graph/node-def.ts';
import type { Constant } from './constants.ts';
import type { Weights } from './site.ts';

/** What a linear node does to channels. */
export interface Linear {
  readonly weights: Weights;
  readonly channels: number;
  /** The channel axis of its output, from the end. */
  readonly axis: number;
  /** Of its output; undefined where it is that of the input, whatever it is. */
  readonly rank: number | undefined;
}

const CONVOLUTIONS: ReadonlySet<string> = new Set(['Conv2D', '_FusedConv2D']);
const DEPTHWISE: ReadonlySet<string> = new Set([
  'DepthwiseConv2dNative',
  'DepthwiseConv2d',
  'FusedDepthwiseConv2dNative',
]);
const TRANSPOSED: ReadonlySet<string> = new Set(['Conv2DBackpropInput', 'Conv2dTranspose']);
/** Products of any number of axes, of which the last two are multiplied. */
const BATCHED: ReadonlySet<string> = new Set(['BatchMatMul', 'BatchMatMulV2']);
const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', '_FusedMatMul', ...BATCHED]);

/** Ops that compute what a batch norm was often folded into. */
export const LINEAR: ReadonlySet<string> = new Set([
  ...CONVOLUTIONS,
  ...DEPTHWISE,
  ...TRANSPOSED,
  ...PRODUCTS,
]);

/** Those of them that add their bias, and apply an activation, themselves. */
export const FUSED: ReadonlySet<string> = new Set([
  '_FusedConv2D',
  'FusedDepthwiseConv2dNative',
  '_FusedMatMul',
]);

/** Ops like them that are not supported. */
export const UNSUPPORTED: ReadonlySet<string> = new Set(['Conv1D', 'Conv3D', 'Einsum']);

/** What a convolution or matrix product with these weights does; undefined for weights that do not fit it. */
export function linearOf(node: Node, { name, shape }: Constant): Linear | undefined {
  const linear = (channels: number, run: number, axis = -1): Linear => ({
    weights: { name, run },
    channels,
    axis,
    rank: shape.length,
  });
  if (BATCHED.has(node.op)) {
    const [rows, columns] = shape.slice(-2);
    // One matrix for all.
    if (columns === undefined || shape.slice(0, -2).some((size) => size !== 1)) return undefined;
    const product = isSet(node.def, 'adj_y') ? linear(rows!, columns) : linear(columns, 1);
    return { ...product, rank: undefined };
  }
  if (PRODUCTS.has(node.op)) {
    const [rows, columns, ...more] = shape;
    if (columns === undefined || more.length > 0) return undefined;
    return isSet(node.def, 'transpose_b') ? linear(rows!, columns) : linear(columns, 1);
  }
  const [, , third, fourth, ...more] = shape;
  if (third === undefined || fourth === undefined || more.length > 0) return undefined;
  // [height, width, outputs, inputs], and TensorFlow.js knows no other place for the channels than the last axis.
  if (TRANSPOSED.has(node.op)) return linear(third, fourth);
  // A depthwise filter, [height, width, channels, multiplier], has its output channels in this very order.
  const channels = DEPTHWISE.has(node.op) ? third * fourth : fourth;
  return linear(channels, 1, isChannelsFirst(node) ? -3 : -1);
}

/** What multiplying by a constant does, where that is one factor per channel; undefined otherwise. */
export function scaleOf({ name, shape }: Constant): Linear | undefined {
  const long = shape.flatMap((size, at) => (size > 1 ? [at] : []));
  if (long.length !== 1) return undefined;
  const at = long[0]!;
  return {
    weights: { name, run: 1 },
    channels: shape[at]!,
    axis: at - shape.length,
    rank: undefined,
  };
}

/** Whether a convolution's output is [samples, channels, height, width]. */
export function isChannelsFirst(node: Node): boolean {
  return textOf(node.def, 'data_format') === 'nchw';
}

/** Whether adding a constant of this shape adds one value per channel. */
export function addsPerChannel(shape: readonly number[], { channels, axis, rank }: Linear): boolean {
  if (shape.reduce((a, b) => a * b, 1) !== channels) return false;
  if (rank !== undefined && shape.length > rank) return false;
  return channels === 1 || shape[shape.length + axis] === channels;
}
