// The geometry that the kernels of convolution and pooling share, from the attributes TensorFlow.js gives them.
import { KernelInputError, type KernelInputs } from '@rebatch/core/kernels';
import { backend_util } from '@tensorflow/tfjs-core';

export type ConvInfo = backend_util.Conv2DInfo;
type Shape4D = [number, number, number, number];

/** Attributes of conv2d, depthwiseConv2d and their gradients. `dilations` is 1 where it is not given. */
export interface ConvAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | backend_util.ExplicitPadding;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly inputShape?: Shape4D;
  readonly filterShape?: Shape4D;
}

/** @throws {KernelInputError} if a shape is missing or not of rank 4. */
export function convInfo(
  kernel: string,
  { strides, pad, dilations = 1, dimRoundingMode }: ConvAttributes,
  inputShape: readonly number[] | undefined,
  filterShape: readonly number[] | undefined,
  depthwise = false,
): ConvInfo {
  if (inputShape?.length !== 4 || filterShape?.length !== 4) {
    throw new KernelInputError(
      `${kernel}: expected an input and a filter of rank 4, got shapes [${inputShape}] and [${filterShape}].`,
    );
  }
  return backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/** What these kernels do not do: NCHW, and any type but float32. */
export function isForeign(attributes: object, inputs: KernelInputs): boolean {
  const { dataFormat = 'NHWC' } = attributes as ConvAttributes;
  return dataFormat !== 'NHWC' || Object.values(inputs).some((input) => input && input.dtype !== 'float32');
}

export const imageSize = ({ inHeight, inWidth, inChannels }: ConvInfo) => inHeight * inWidth * inChannels;
/** Output positions of one image. */
export const positionsPerImage = ({ outHeight, outWidth }: ConvInfo) => outHeight * outWidth;
export const inputSize = (info: ConvInfo) => info.batchSize * imageSize(info);
export const outputSize = (info: ConvInfo) => info.batchSize * positionsPerImage(info) * info.outChannels;
/** What one output position sees. */
export const patchLength = (info: ConvInfo) => info.filterHeight * info.filterWidth * info.inChannels;

/** The taps of a filter that lie inside of an image of `size` pixels, when the first one lies at `start`. */
export function tapsInside(
  start: number,
  dilation: number,
  taps: number,
  size: number,
): readonly [first: number, end: number] {
  const first = start >= 0 ? 0 : Math.ceil(-start / dilation);
  const end = Math.min(taps, Math.ceil((size - start) / dilation));
  return [Math.min(first, taps), Math.max(end, Math.min(first, taps))];
}
