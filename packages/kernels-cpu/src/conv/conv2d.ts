// conv2d and its gradients, as products of matrices: patches of the input on one side, filters or dy on the other.
import { type BackendKernel, differentiateConvolution } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Call, kernel } from '../kernel.ts';
import {
  type ConvAttributes,
  type ConvInfo,
  convInfo,
  imageSize,
  inputSize,
  isForeign,
  outputSize,
  patchLength,
  positionsPerImage,
} from './geometry.ts';
import { addProduct, padRows, roundUp2, roundUp4, tileLength } from './multiply.ts';
import { addPatches, readPatches } from './patches.ts';

type ConvCall = Call<ConvAttributes>;

/** A kernel of conv2d. Takes the place of upstream's, which still gets NCHW and other types. */
export function convKernel<A extends ConvAttributes>(
  name: string,
  run: (call: Call<A>, info: ConvInfo) => TensorInfo,
  depthwise = false,
): BackendKernel {
  return {
    ...kernel<A>(name, (call) => {
      const attributes = call.attributes as A;
      // The gradient for the filter gets the input, and that for the input the filter; the other is an attribute.
      const inputShape = call.shapeOf('x') ?? attributes.inputShape;
      const filterShape = call.shapeOf('filter') ?? attributes.filterShape;
      return run(call, convInfo(name, attributes, inputShape, filterShape, depthwise));
    }),
    leaves: isForeign,
  };
}

/** The convolution of x, of which `finish` makes the output: it gets each sum with its output channel. */
export function convolve(
  x: Float32Array,
  filter: Float32Array,
  info: ConvInfo,
  finish: (sum: number, channel: number) => number = (sum) => sum,
): Float32Array {
  const { batchSize, outChannels } = info;
  const positions = batchSize * positionsPerImage(info);
  const depth = patchLength(info);
  const width = roundUp4(outChannels);
  const tile = tileLength(depth, positions);
  const patches = new Float64Array(tile * depth);
  const sums = new Float64Array(tile * width);
  const weights = new Float64Array(depth * width);
  padRows(filter, outChannels, 0, depth, weights, width);
  const y = new Float32Array(positions * outChannels);
  for (let from = 0; from < positions; from += tile) {
    const count = Math.min(tile, positions - from);
    readPatches(x, patches, depth, from, count, info);
    sums.fill(0);
    addProduct(patches, depth, 1, weights, sums, roundUp2(count), width, depth);
    for (let p = 0; p < count; p++) {
      const to = (from + p) * outChannels;
      for (let c = 0; c < outChannels; c++) y[to + c] = finish(sums[p * width + c]!, c);
    }
  }
  return y;
}

/** inputs {x: NHWC, filter} -> NHWC. */
export const conv2d = convKernel('Conv2D', ({ attributes, required, output }: ConvCall, info) => {
  differentiateConvolution('Conv2D', attributes);
  const filter = required('filter', patchLength(info) * info.outChannels);
  return output(info.outShape, convolve(required('x', inputSize(info)), filter, info));
});

/** inputs {x: NHWC, dy: NHWC} -> [filterHeight, filterWidth, inChannels, outChannels]. */
export const filterGradient = convKernel('Conv2DBackpropFilter', (call: ConvCall, info) => {
  const { batchSize, outChannels } = info;
  const x = call.required('x', inputSize(info));
  const dy = call.required('dy', outputSize(info));
  const positions = batchSize * positionsPerImage(info);
  const length = patchLength(info);
  const depth = roundUp2(length);
  const width = roundUp4(outChannels);
  const tile = tileLength(depth, positions);
  const patches = new Float64Array(tile * depth);
  const upstream = new Float64Array(tile * width);
  const sums = new Float64Array(depth * width);
  for (let from = 0; from < positions; from += tile) {
    const count = Math.min(tile, positions - from);
    readPatches(x, patches, depth, from, count, info);
    padRows(dy, outChannels, from, count, upstream, width);
    addProduct(patches, 1, depth, upstream, sums, depth, width, count);
  }
  const gradient = new Float32Array(length * outChannels);
  for (let i = 0; i < length; i++) {
    for (let c = 0; c < outChannels; c++) gradient[i * outChannels + c] = sums[i * width + c]!;
  }
  return call.output(info.filterShape, gradient);
});

/** inputs {dy: NHWC, filter} -> dx: NHWC. */
export const inputGradient = convKernel('Conv2DBackpropInput', (call: ConvCall, info) => {
  const { batchSize, outChannels } = info;
  const dy = call.required('dy', outputSize(info));
  const length = patchLength(info);
  const filter = call.required('filter', length * outChannels);
  const perImage = positionsPerImage(info);
  const depth = roundUp4(length);
  const tile = tileLength(depth, batchSize * perImage);
  const weights = new Float64Array(outChannels * depth);
  for (let i = 0; i < length; i++) {
    for (let c = 0; c < outChannels; c++) weights[c * depth + i] = filter[i * outChannels + c]!;
  }
  const upstream = new Float64Array(tile * outChannels);
  const patches = new Float64Array(tile * depth);
  const dx = new Float32Array(inputSize(info));
  // Pixels are sums over patches that overlap: as many images at a time as make a tile, or one.
  const images = Math.min(batchSize, Math.max(1, Math.floor(tile / perImage)));
  const pixels = new Float64Array(images * imageSize(info));
  for (let image = 0; image < batchSize; image += images) {
    const before = image * imageSize(info);
    const end = Math.min(batchSize, image + images) * perImage;
    pixels.fill(0);
    for (let from = image * perImage; from < end; from += tile) {
      const count = Math.min(tile, end - from);
      padRows(dy, outChannels, from, count, upstream, outChannels);
      patches.fill(0);
      addProduct(upstream, outChannels, 1, weights, patches, roundUp2(count), depth, outChannels);
      addPatches(patches, pixels, before, depth, from, count, info);
    }
    dx.set(pixels.subarray(0, dx.length - before), before);
  }
  return call.output(info.inShape, dx);
});
