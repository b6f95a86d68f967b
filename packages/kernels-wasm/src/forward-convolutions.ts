// Convolutions: upstream's, except where ours are faster; mended where they are wrong: with 'same' padding and strides
// longer than the window there may be nothing to pad, and XNNPACK, which works that out for itself, then leaves the output
// at 0. Told how much to pad, it is right.
import {
  type BackendKernel,
  type DilatedAttributes,
  differentiateConvolution,
  type KernelInputs,
  sizeOf,
  withDilatedGradient,
} from '@rebatch/core/kernels';
import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { checked } from './backend.ts';
import { type ConvInfo, inputSize, patchLength, setGeometry } from './convolution.ts';
import { directForward, takesDirect } from './direct-forward.ts';
import { kernel } from './kernel.ts';
import { takesWinograd, winogradForward } from './winograd.ts';

type Shape4D = [number, number, number, number];

/** The geometry of a call on images, NHWC. */
function infoOf(
  { strides, pad, dilations, dataFormat = 'NHWC', dimRoundingMode }: DilatedAttributes,
  { x, filter }: KernelInputs,
  depthwise: boolean,
): ConvInfo | undefined {
  if (dataFormat !== 'NHWC' || x?.shape.length !== 4 || filter?.shape.length !== 4) return undefined;
  return backend_util.computeConv2DInfo(
    ...([x.shape as Shape4D, filter.shape as Shape4D, strides, (dilations ?? 1) as number, pad] as const),
    ...([dimRoundingMode, depthwise] as const),
  );
}

const withExplicitPadding =
  (depthwise: boolean) =>
  (attributes: DilatedAttributes, inputs: KernelInputs): DilatedAttributes => {
    const info = attributes.pad === 'same' ? infoOf(attributes, inputs, depthwise) : undefined;
    if (info === undefined) return attributes;
    const { outHeight, outWidth, strideHeight, strideWidth, effectiveFilterHeight, effectiveFilterWidth } =
      info;
    const missing = [
      (outHeight - 1) * strideHeight + effectiveFilterHeight - info.inHeight,
      (outWidth - 1) * strideWidth + effectiveFilterWidth - info.inWidth,
    ];
    if (missing.every((rows) => rows >= 0)) return attributes;
    const { top, bottom, left, right } = info.padInfo;
    return {
      ...attributes,
      pad: [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
    };
  };

/** What an activation limits its values to; others are upstream's. */
const LIMITS: Readonly<Record<string, { readonly least?: number; readonly most?: number }>> = {
  linear: {},
  relu: { least: 0 },
  relu6: { least: 0, most: 6 },
};

/** Upstream's, but ours where that is faster. */
function withOurs(kernelName: 'Conv2D' | 'FusedConv2D'): BackendKernel {
  const upstream = withDilatedGradient(kernelName, checked, withExplicitPadding(false));
  return {
    kernelName,
    kernelFunc: (call, theirs) => {
      const attributes = (call.attrs ?? {}) as unknown as DilatedAttributes;
      const output = ours(call, kernelName, attributes);
      if (output === undefined) return upstream.kernelFunc(call, theirs);
      differentiateConvolution(kernelName, attributes);
      return output;
    },
  };
}

function ours(
  call: Parameters<BackendKernel['kernelFunc']>[0],
  kernelName: string,
  attributes: DilatedAttributes,
): TensorInfo | undefined {
  const limits = LIMITS[attributes.activation ?? 'linear'];
  const { x, filter, bias } = call.inputs as KernelInputs;
  const info = infoOf(attributes, { x, filter }, false);
  if (limits === undefined || info === undefined) return undefined;
  const forward = takesWinograd(info, 'forward')
    ? winogradForward
    : takesDirect(info)
      ? directForward
      : undefined;
  const floats = [x, filter, bias].every((tensor) => tensor === undefined || tensor.dtype === 'float32');
  if (!forward || !floats || (bias && sizeOf(bias.shape) !== info.outChannels)) return undefined;
  const computing = kernel<DilatedAttributes>(kernelName, (given) => {
    setGeometry(given.kernels, info);
    const { required } = given;
    const weights = patchLength(info) * info.outChannels;
    const addresses = [required('x', inputSize(info)), required('filter', weights)] as const;
    return forward(given, info, addresses, {
      ...limits,
      ...(bias && { bias: required('bias', info.outChannels) }),
    });
  });
  return computing.kernelFunc(call) as TensorInfo;
}

/** inputs {x: NHWC, filter} and so on: as upstream's. */
export const forwardConvolutions = [
  withOurs('Conv2D'),
  withOurs('FusedConv2D'),
  withDilatedGradient('DepthwiseConv2dNative', checked, withExplicitPadding(true)),
  withDilatedGradient('FusedDepthwiseConv2D', checked, withExplicitPadding(true)),
];
