// TensorFlow.js's own ops that training needs, each with a run of it: rows of FEATURES.md.
import * as tf from '@tensorflow/tfjs-core';

export interface UpstreamOp {
  /** The kernel that a backend needs for it. */
  readonly kernel: string;
  readonly run: () => tf.Tensor;
  /** What comes out, for an op that some backend gets wrong. */
  readonly right?: readonly number[];
}

const IMAGE: [number, number, number, number] = [2, 6, 6, 4];
/** The gradient of an op on images, volumes or filters. */
const gradient = <R extends tf.Rank>(op: (x: tf.Tensor<R>) => tf.Tensor, at: tf.Tensor): tf.Tensor =>
  tf.grad(op as (x: tf.Tensor) => tf.Tensor)(at);
const images = () => tf.ones<tf.Rank.R4>(IMAGE);
const filters = () => tf.ones<tf.Rank.R4>([3, 3, 4, 4]);
const depthwiseFilters = () => tf.ones<tf.Rank.R4>([3, 3, 4, 1]);

export const UPSTREAM_OPS: Readonly<Record<string, UpstreamOp>> = {
  'conv2d with bias and activation': {
    kernel: 'FusedConv2D',
    run: () =>
      tf.fused.conv2d({ x: images(), filter: filters(), strides: 1, pad: 'same', activation: 'relu' }),
  },
  'gradient of conv2d for the filter': {
    kernel: 'Conv2DBackpropFilter',
    run: () => gradient<tf.Rank.R4>((w) => tf.conv2d(images(), w, 1, 'same'), filters()),
  },
  'gradient of conv2d for the input': {
    kernel: 'Conv2DBackpropInput',
    // The gradient of conv2d computes both, so the missing one would hide this one: the transpose is this kernel alone.
    run: () => tf.conv2dTranspose(images(), filters(), IMAGE, 1, 'same'),
  },
  'gradient of conv2d, dilated': {
    kernel: 'Conv2DBackpropInput',
    run: () =>
      gradient<tf.Rank.R4>(
        (x) => tf.conv2d(x, tf.ones<tf.Rank.R4>([1, 2, 1, 1]), 1, 'valid', 'NHWC', [1, 2]),
        tf.zeros([1, 1, 4, 1]),
      ),
    right: [1, 1, 1, 1],
  },
  'gradient of depthwiseConv2d for the filter': {
    kernel: 'DepthwiseConv2dNativeBackpropFilter',
    run: () => gradient<tf.Rank.R4>((w) => tf.depthwiseConv2d(images(), w, 1, 'same'), depthwiseFilters()),
  },
  'gradient of depthwiseConv2d for the input': {
    kernel: 'DepthwiseConv2dNativeBackpropInput',
    run: () => gradient<tf.Rank.R4>((x) => tf.depthwiseConv2d(x, depthwiseFilters(), 1, 'same'), images()),
  },
  'gradient of conv3d': {
    kernel: 'Conv3DBackpropInputV2',
    run: () =>
      gradient<tf.Rank.R5>(
        (x) => tf.conv3d(x, tf.ones<tf.Rank.R5>([1, 1, 1, 1, 1]), 2, 'valid'),
        tf.zeros([1, 1, 1, 4, 1]),
      ),
    right: [1, 0, 1, 0],
  },
  'gradient of conv3d, dilated': {
    kernel: 'Conv3DBackpropInputV2',
    run: () =>
      gradient<tf.Rank.R5>(
        (x) => tf.conv3d(x, tf.ones<tf.Rank.R5>([1, 1, 2, 1, 1]), 1, 'valid', 'NDHWC', [1, 1, 2]),
        tf.zeros([1, 1, 1, 4, 1]),
      ),
    right: [1, 1, 1, 1],
  },
  'gradient of conv3dTranspose': {
    kernel: 'Conv3DBackpropInputV2',
    run: () =>
      gradient<tf.Rank.R5>(
        (x) => tf.conv3dTranspose(x, tf.ones<tf.Rank.R5>([1, 1, 1, 1, 1]), [1, 1, 1, 2, 1], 1, 'valid'),
        tf.zeros([1, 1, 1, 2, 1]),
      ),
    right: [1, 1],
  },
  maxPool: { kernel: 'MaxPool', run: () => tf.maxPool(images(), 2, 2, 'valid') },
  'gradient of maxPool': {
    kernel: 'MaxPoolGrad',
    run: () =>
      gradient<tf.Rank.R4>((x) => tf.maxPool(x, [1, 2], 2, 'valid'), tf.tensor([-2, -1], [1, 1, 2, 1])),
    right: [0, 1],
  },
  maxPool3d: {
    kernel: 'MaxPool3D',
    run: () => tf.maxPool3d(tf.tensor5d([-2, -1], [1, 1, 1, 2, 1]), [1, 1, 2], 2, 'valid'),
    right: [-1],
  },
  'gradient of maxPool3d': {
    kernel: 'MaxPool3DGrad',
    run: () =>
      gradient<tf.Rank.R5>(
        (x) => tf.maxPool3d(x, [1, 2, 1], 1, 'valid'),
        tf.tensor([-4, -1, -3, -2], [1, 1, 2, 2, 1]),
      ),
    right: [0, 1, 1, 0],
  },
  'gradient of avgPool': {
    kernel: 'AvgPoolGrad',
    run: () => gradient<tf.Rank.R4>((x) => tf.avgPool(x, 2, 1, 'same'), tf.zeros([1, 2, 2, 1])),
    right: [0.25, 0.75, 0.75, 2.25],
  },
  'gradient of avgPool3d': {
    kernel: 'AvgPool3DGrad',
    run: () => gradient<tf.Rank.R5>((x) => tf.avgPool3d(x, [1, 2, 2], 1, 'same'), tf.zeros([1, 1, 2, 2, 1])),
    right: [0.25, 0.75, 0.75, 2.25],
  },
  'gradient of resizeNearestNeighbor': {
    kernel: 'ResizeNearestNeighborGrad',
    run: () => {
      const weights = tf.reshape(tf.range(0, 4), [2, 1, 2, 1]);
      return gradient<tf.Rank.R4>(
        (x) => tf.mul(tf.image.resizeNearestNeighbor(x, [1, 2]), weights),
        tf.zeros([2, 1, 1, 1]),
      );
    },
    right: [1, 5],
  },
  'gradient of resizeBilinear': {
    kernel: 'ResizeBilinearGrad',
    run: () => gradient<tf.Rank.R4>((x) => tf.image.resizeBilinear(x, [2, 4]), tf.zeros([1, 1, 2, 1])),
    right: [3, 5],
  },
  gather: { kernel: 'GatherV2', run: () => tf.gather(images(), [1, 0]) },
  'gradient of gather, or of an embedding': {
    kernel: 'UnsortedSegmentSum',
    run: () => gradient((x) => tf.gather(x, [2, 0, 2]), tf.zeros([3, 1])),
    right: [1, 0, 2],
  },
};
