// Convolutions: upstream's, except where ours are faster; mended where they are wrong: with 'same' padding and strides
// longer than the window there may be nothing to pad, and XNNPACK, which works that out for itself, then leaves the output
// at 0; and with a padding that is a number, TensorFlow.js takes every window for a square one, so that XNNPACK comes to another
// size than the memory has. Told how much to pad, it is right.
import {
  type BackendKernel,
  type DilatedAttributes,
  differentiateConvolution,
  KernelInputError,
  type KernelInputs,
  sizeOf,
  withDilatedGradient,
} from '@rebatch/core/kernels';
import { backend_util, getKernel, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { checked } from './backend.ts';
import { type ConvInfo, inputSize, patchLength, setGeometry } from './convolution.ts';
import { directForward, takesDirect } from './direct-forward.ts';
import { kernel } from './kernel.ts';
import { takesWinograd, winogradForward } from './winograd.ts';

type KernelCall = Parameters<BackendKernel['kernelFunc']>[0];
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

/** What is padded below and to the right for the output to be as large as it is; negative where the input is too long. */
interface End {
  readonly bottom: number;
  readonly right: number;
}

/** Undefined where XNNPACK, which works out for itself how large the output is, comes to the same. */
function endOf({ pad }: DilatedAttributes, info: ConvInfo): End | undefined {
  const { top, bottom, left, right } = info.padInfo;
  const rows = alongAxis(info.inHeight, info.effectiveFilterHeight, info.strideHeight, info.outHeight, top);
  const columns = alongAxis(info.inWidth, info.effectiveFilterWidth, info.strideWidth, info.outWidth, left);
  const isFound =
    pad === 'same'
      ? rows.missing >= 0 && columns.missing >= 0
      : rows.found(bottom) === info.outHeight && columns.found(right) === info.outWidth;
  return isFound ? undefined : { bottom: rows.end, right: columns.end };
}

/** @param before what is padded before the first value. */
function alongAxis(size: number, window: number, stride: number, out: number, before: number) {
  const missing = (out - 1) * stride + window - size - before;
  const found = (after: number) => Math.floor((size + before + after - window) / stride) + 1;
  // What no window reaches need not be cut away.
  return { missing, found, end: missing < 0 && found(0) === out ? 0 : missing };
}

/** Upstream's, told what to pad where it would be wrong, and given no more of the input than the output sees. */
function mended(kernelName: Parameters<typeof withDilatedGradient>[0], depthwise: boolean): BackendKernel {
  const { kernelFunc } = withDilatedGradient(kernelName, checked);
  return {
    kernelName,
    kernelFunc: (call, upstream) => {
      const attributes = (call.attrs ?? {}) as unknown as DilatedAttributes;
      const info =
        attributes.pad === 'valid' ? undefined : infoOf(attributes, call.inputs as KernelInputs, depthwise);
      const end = info && endOf(attributes, info);
      if (!info || !end || !upstream) return kernelFunc(call, upstream);
      const { top, left } = info.padInfo;
      const pad = [
        [0, 0],
        [top, Math.max(0, end.bottom)],
        [left, Math.max(0, end.right)],
        [0, 0],
      ];
      return kernelFunc(call, (given) => {
        const attrs = { ...given.attrs, pad, dimRoundingMode: 'floor' };
        const told = { ...given, attrs: attrs as unknown as NamedAttrMap };
        if (end.bottom >= 0 && end.right >= 0) return upstream(told);
        const x = seen(told, kernelName, info, end);
        try {
          return upstream({ ...told, inputs: { ...told.inputs, x } });
        } finally {
          checked(call.backend).disposeData(x.dataId);
        }
      });
    },
  };
}

/** The part of the input that the output sees, where it is shorter. */
function seen({ inputs, backend }: KernelCall, kernelName: string, info: ConvInfo, end: End): TensorInfo {
  const size = [
    info.batchSize,
    info.inHeight + Math.min(0, end.bottom),
    info.inWidth + Math.min(0, end.right),
    info.inChannels,
  ];
  if (size.some((length) => length < 1)) {
    throw new KernelInputError(
      `${kernelName}: expected windows that see some of the input, got ${info.filterHeight} x ${info.filterWidth} with more ` +
        'padding than that. Pad less.',
    );
  }
  const attrs = { begin: [0, 0, 0, 0], size };
  return getKernel('Slice', 'wasm').kernelFunc({ inputs: { x: inputs.x! }, backend, attrs }) as TensorInfo;
}

/** What an activation limits its values to; others are upstream's. */
const LIMITS: Readonly<Record<string, { readonly least?: number; readonly most?: number }>> = {
  linear: {},
  relu: { least: 0 },
  relu6: { least: 0, most: 6 },
};

/** Upstream's, but ours where that is faster. */
function withOurs(kernelName: 'Conv2D' | 'FusedConv2D'): BackendKernel {
  const upstream = mended(kernelName, false);
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

function ours(call: KernelCall, kernelName: string, attributes: DilatedAttributes): TensorInfo | undefined {
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
  mended('DepthwiseConv2dNative', true),
  mended('FusedDepthwiseConv2D', true),
];
