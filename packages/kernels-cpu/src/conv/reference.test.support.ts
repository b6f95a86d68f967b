// Convolution and its gradients by their definition: one loop over everything that is multiplied, in float64. Not published.
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { sizeOf } from '../upstream.test.support.ts';

export type Shape4D = [number, number, number, number];

/** A convolution: of NHWC images with [height, width, inChannels, outChannels or multiplier]. */
export interface Convolution {
  readonly shape: Shape4D;
  readonly filter: Shape4D;
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
  readonly dilations: [number, number];
}

const dimension = (max: number) => fc.integer({ min: 1, max });
const pair = (max: number) => fc.tuple(dimension(max), dimension(max));
const explicit = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)).map(
  ([t, b, l, r]): tf.backend_util.ExplicitPadding => [
    [0, 0],
    [t, b],
    [l, r],
    [0, 0],
  ],
);

/** Any stride, padding, dilation and channel count, with at least one output position. */
export const convolutions = (depthwise: boolean): fc.Arbitrary<Convolution> =>
  fc
    .record({
      size: fc.tuple(dimension(3), dimension(13), dimension(13), fc.constantFrom(1, 2, 3, 4, 5, 8, 17)),
      window: pair(4),
      outputs: depthwise ? dimension(3) : fc.constantFrom(1, 2, 3, 4, 6, 8, 17),
      strides: pair(3),
      pad: fc.oneof(fc.constantFrom('same' as const, 'valid' as const), fc.nat(2), explicit),
      dilations: pair(3),
    })
    .map(({ size, window, outputs, ...rest }) => ({
      ...rest,
      shape: size as Shape4D,
      filter: [...window, size[3], outputs] as Shape4D,
    }))
    .filter((convolution) => outputShape(convolution, depthwise).every((length) => length > 0));

const infoOf = ({ shape, filter, strides, dilations, pad }: Convolution, depthwise: boolean) =>
  tf.backend_util.computeConv2DInfo(shape, filter, strides, dilations, pad, 'floor', depthwise);

export const outputShape = (convolution: Convolution, depthwise = false) =>
  infoOf(convolution, depthwise).outShape as Shape4D;

/** The output, and the gradients of sum(dy * output). */
export function reference(
  convolution: Convolution,
  depthwise: boolean,
  x: Float32Array,
  w: Float32Array,
  dy: Float32Array,
): Record<'y' | 'filter' | 'input', Float64Array> {
  const info = infoOf(convolution, depthwise);
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const [height, width, , multiplier] = convolution.filter;
  const y = new Float64Array(dy.length);
  const filter = new Float64Array(w.length);
  const input = new Float64Array(x.length);
  for (let out = 0; out < sizeOf(info.outShape); out++) {
    const o = out % outChannels;
    const ow = Math.floor(out / outChannels) % outWidth;
    const oh = Math.floor(out / outChannels / outWidth) % outHeight;
    const b = Math.floor(out / outChannels / outWidth / outHeight);
    for (let kh = 0; kh < height; kh++) {
      for (let kw = 0; kw < width; kw++) {
        const ih = oh * info.strideHeight - info.padInfo.top + kh * info.dilationHeight;
        const iw = ow * info.strideWidth - info.padInfo.left + kw * info.dilationWidth;
        if (ih < 0 || ih >= inHeight || iw < 0 || iw >= inWidth) continue;
        for (let c = 0; c < inChannels; c++) {
          if (depthwise && c !== Math.floor(o / multiplier)) continue;
          const from = ((b * inHeight + ih) * inWidth + iw) * inChannels + c;
          const tap = (kh * width + kw) * inChannels + c;
          const by = depthwise ? tap * multiplier + (o % multiplier) : tap * outChannels + o;
          y[out]! += x[from]! * w[by]!;
          filter[by]! += x[from]! * dy[out]!;
          input[from]! += w[by]! * dy[out]!;
        }
      }
    }
  }
  return { y, filter, input };
}
