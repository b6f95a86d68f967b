// The layers of tf.layers whose output is linear in their kernel, channel by channel: what a batch normalization after
// them can be folded into.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** What folding needs to know of a class of layers. */
export interface LinearKind {
  /** The weight, by its name within the layer, that each output channel is proportional to. */
  readonly kernel: string;
  /** slope [channels] in a shape that broadcasts against that weight. */
  readonly aside: (slope: tf.Tensor, kernelShape: readonly number[]) => tf.Tensor;
  /** Whether the layer is right with channels first, bias included. */
  readonly channelsFirst: boolean;
}

const lastAxis = (slope: tf.Tensor) => slope;
const lastButOne = (slope: tf.Tensor) => tf.expandDims(slope, 1);
/** Output channel i * multiplier + m comes from kernel[..., i, m]. */
const lastTwo = (slope: tf.Tensor, kernelShape: readonly number[]) =>
  tf.reshape(slope, kernelShape.slice(-2));

const conv = (channelsFirst: boolean): LinearKind => ({ kernel: 'kernel', aside: lastAxis, channelsFirst });
const transposed: LinearKind = { kernel: 'kernel', aside: lastButOne, channelsFirst: true };

// The name keeps these from using up numbers that automatic layer names are made of.
const classOf = (layer: object) => layer.constructor;
const sample = { filters: 1, kernelSize: 1, name: 'rebatch_sample' } as const;

let kinds: ReadonlyMap<unknown, LinearKind> | undefined;

/**
 * The kind of a layer, or undefined for one that nothing can be folded into. Of the stock classes only: a class that
 * was derived from one may compute differently.
 */
export function linearKind(layer: tfl.layers.Layer): LinearKind | undefined {
  const { conv1d, conv2d, conv2dTranspose, conv3d, depthwiseConv2d, separableConv2d } = tfl.layers;
  kinds ??= new Map<unknown, LinearKind>([
    [classOf(tfl.layers.dense({ units: 1, name: 'rebatch_sample' })), conv(true)],
    // With channels first, these two add their bias along another axis than the channels.
    [classOf(conv1d(sample)), conv(false)],
    [classOf(separableConv2d(sample)), { kernel: 'pointwise_kernel', aside: lastAxis, channelsFirst: false }],
    [classOf(conv2d(sample)), conv(true)],
    [classOf(conv3d(sample)), conv(true)],
    [classOf(conv2dTranspose(sample)), transposed],
    [classOf(tfl.layers.conv3dTranspose(sample)), transposed],
    [
      classOf(depthwiseConv2d({ kernelSize: 1, name: 'rebatch_sample' })),
      { kernel: 'depthwise_kernel', aside: lastTwo, channelsFirst: true },
    ],
  ]);
  return kinds.get(layer.constructor);
}

/** The parts of those layers that decide how to fold. The declarations of tf.layers keep them private. */
export interface LinearLayer {
  readonly activation?: { getClassName(): string } | null;
  readonly dataFormat?: string;
}
