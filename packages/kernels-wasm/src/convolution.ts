// The geometry that the gradients of convolutions share, from the attributes TensorFlow.js gives them.
import { type BackendKernel, KernelInputError, sizeOf } from '@rebatch/core/kernels';
import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { type Call, kernel } from './kernel.ts';
import type { KernelModule } from './module.ts';

export type ConvInfo = backend_util.Conv2DInfo;
/** The same for volumes, NDHWC. */
export type VolumeInfo = backend_util.Conv3DInfo;

/** Attributes of the gradients of conv2d and depthwiseConv2d. `dilations` is 1 where it is not given. */
export interface ConvAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | backend_util.ExplicitPadding;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly inputShape?: [number, number, number, number];
  readonly filterShape?: [number, number, number, number];
}

/** A kernel for one gradient of conv2d or depthwiseConv2d; the module knows the convolution when `run` is called. */
export function gradientKernel(
  name: string,
  depthwise: boolean,
  run: (call: Call<ConvAttributes>, info: ConvInfo) => TensorInfo,
): BackendKernel {
  return kernel<ConvAttributes>(name, (call) => {
    const attributes = call.attributes as ConvAttributes;
    // The gradient for the filter gets the input, and that for the input the filter; the other shape is an attribute.
    const inputShape = call.shapeOf('x') ?? attributes.inputShape;
    const filterShape = call.shapeOf('filter') ?? attributes.filterShape;
    const info = convInfo(name, attributes, inputShape, filterShape, depthwise);
    setGeometry(call.kernels, info);
    return run(call, info);
  });
}

/**
 * @throws {KernelInputError} for NCHW, which the WASM backend's conv2d does not compute either.
 */
function convInfo(
  kernel: string,
  attributes: ConvAttributes,
  inputShape: readonly number[] | undefined,
  filterShape: readonly number[] | undefined,
  depthwise: boolean,
): ConvInfo {
  const { strides, pad, dilations = 1, dimRoundingMode, dataFormat = 'NHWC' } = attributes;
  if (dataFormat !== 'NHWC') {
    throw new KernelInputError(
      `${kernel}: expected dataFormat NHWC, got ${dataFormat}. Transpose to NHWC with tf.transpose(x, [0, 2, 3, 1]).`,
    );
  }
  if (inputShape?.length !== 4 || filterShape?.length !== 4) {
    throw new KernelInputError(
      `${kernel}: expected an input and a filter of rank 4, got shapes [${inputShape}] and [${filterShape}].`,
    );
  }
  return backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/** Tells the module which convolution comes next. */
export function setGeometry(kernels: KernelModule, info: ConvInfo): void {
  kernels.setGeometry(
    ...[info.batchSize, info.inHeight, info.inWidth, info.inChannels, info.outHeight, info.outWidth],
    ...[info.filterHeight, info.filterWidth, info.strideHeight, info.strideWidth],
    ...[info.dilationHeight, info.dilationWidth, info.padInfo.top, info.padInfo.left],
  );
}

/** Tells the module which convolution or pooling of volumes comes next. */
export function setVolume(kernels: KernelModule, info: VolumeInfo): void {
  kernels.setGeometry(
    ...[info.batchSize, info.inHeight, info.inWidth, info.inChannels, info.outHeight, info.outWidth],
    ...[info.filterHeight, info.filterWidth, info.strideHeight, info.strideWidth],
    ...[info.dilationHeight, info.dilationWidth, info.padInfo.top, info.padInfo.left],
  );
  kernels.setDepth(info.inDepth, info.outDepth, info.filterDepth, info.strideDepth, info.padInfo.front);
}

export const inputSize = ({ inShape }: ConvInfo | VolumeInfo) => sizeOf(inShape);
export const outputSize = ({ outShape }: ConvInfo | VolumeInfo) => sizeOf(outShape);
/** What one output position sees. */
export const patchLength = ({ filterShape }: ConvInfo | VolumeInfo) => sizeOf(filterShape.slice(0, -1));

/** Whether the input, as it lies, is the matrix of patches: one row of channels per output position. */
export function isPointwise(info: ConvInfo | VolumeInfo): boolean {
  const { strideHeight, strideWidth, padInfo } = info;
  const alongDepth = 'strideDepth' in info ? info.strideDepth + info.padInfo.front + info.padInfo.back : 1;
  return (
    patchLength(info) === info.inChannels &&
    strideHeight * strideWidth * alongDepth === 1 &&
    padInfo.top + padInfo.bottom + padInfo.left + padInfo.right === 0
  );
}

// Enough to fill the level-2 cache with patches, not more; and never so few positions that moving the sums out of the
// registers would show.
const TILE_FLOATS = 65536;
const SHORTEST_TILE = 64;
const LONGEST_TILE = 256;

/** Output positions to take at a time, a multiple of 4. */
export function tileLength(info: ConvInfo | VolumeInfo, depth: number): number {
  const wanted = Math.min(LONGEST_TILE, Math.max(SHORTEST_TILE, Math.floor(TILE_FLOATS / depth)));
  return roundUp4(Math.min(wanted, outputSize(info) / info.outChannels));
}

export function roundUp4(n: number): number {
  return (n + 3) & ~3;
}
