// The gradients of convolutions that TensorFlow.js refuses, or computes in vain. It refuses dilated ones, because its own
// kernels for the gradients know no dilation (tfjs-core/src/gradients/Conv2D_grad.ts, src/ops/fused/conv2d.ts); kernels that
// do know it are only to be handed it. So a call that a backend has vouched for gets a gradient from here. And it computes
// all gradients of a fused convolution at once, that at the input, too, where that is data and nobody asks.
import * as tf from '@tensorflow/tfjs-core';
import { UnsupportedBackendError } from './errors.ts';
import type { BackendKernel } from './register.ts';

/** Attributes of a convolution's kernels, as TensorFlow.js passes them. */
export interface DilatedAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  /** As tf.layers leaves it out: null. */
  readonly dilations?: number | readonly number[] | null;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly activation?: string;
}

type ForwardKernel = 'Conv2D' | 'FusedConv2D' | 'DepthwiseConv2dNative' | 'FusedDepthwiseConv2D';
type Gradients = Readonly<Record<'x' | 'filter', () => tf.Tensor>>;

// TensorFlow.js gives a gradient the very object of attributes that the forward kernel was called with.
const vouchedFor = new WeakSet<object>();
/** The fused convolution that is being computed, if a backend has vouched for it. */
let fused: { readonly kernel: ForwardKernel; readonly attributes: DilatedAttributes } | undefined;

/**
 * Gives the convolution that is being computed a gradient from here, if it is dilated or fused. For a forward kernel to
 * call whenever it is called, if its backend's kernels `Conv2DBackpropInput` and `Conv2DBackpropFilter`, or
 * `DepthwiseConv2dNativeBackpropInput` and `DepthwiseConv2dNativeBackpropFilter`, take an attribute `dilations`.
 *
 * @param attributes the object that the kernel was called with, not a copy.
 */
export function differentiateConvolution(kernel: ForwardKernel, attributes: object): void {
  const { dataFormat = 'NHWC', activation = 'linear' } = attributes as DilatedAttributes;
  if (dataFormat !== 'NHWC') return;
  const single = kernel === 'Conv2D' || kernel === 'DepthwiseConv2dNative';
  // With any other activation the fused op is not differentiated: TensorFlow.js takes it apart where a gradient is asked
  // for.
  if (!single && activation === 'linear') fused = { kernel, attributes: attributes as DilatedAttributes };
  if (!isDilated(attributes as DilatedAttributes)) return;
  vouchedFor.add(attributes);
  if (single) widenGradient(kernel, gradientsOf(kernel));
}

const isDilated = ({ dilations }: DilatedAttributes) =>
  [dilations ?? 1].flat().some((dilation) => dilation !== 1);

/**
 * Upstream's forward kernel, whose calls get gradients: see {@link differentiateConvolution}.
 *
 * @param checkBackend throws an {@link UnsupportedBackendError} if the kernels for the gradients do not work on it.
 */
export function withDilatedGradient(
  kernelName: ForwardKernel,
  checkBackend: (backend: unknown) => unknown,
): BackendKernel {
  return {
    kernelName,
    kernelFunc: (call, upstream) => {
      checkBackend(call.backend);
      if (upstream === undefined) {
        throw new UnsupportedBackendError(
          `@rebatch/core/kernels: expected a backend with a kernel ${kernelName}, which this one lacks. Import ` +
            "TensorFlow.js's backend before its kernels are registered.",
        );
      }
      const result = upstream(call);
      differentiateConvolution(kernelName, call.attrs ?? {});
      return result;
    },
  };
}

type GradFunc = (
  dy: tf.Tensor,
  saved: tf.Tensor[],
  attributes: DilatedAttributes,
) => Record<string, () => tf.Tensor>;

const ours = new WeakSet<object>();

/**
 * Puts `gradient` before the registered one of that kernel, for calls that were vouched for. Again whenever it is no
 * longer there: tfjs-layers registers all of upstream's gradients when it is loaded.
 */
function widenGradient(kernelName: string, gradient: GradFunc): void {
  const upstream = tf.getGradient(kernelName);
  if (upstream === undefined || ours.has(upstream)) return;
  const config: tf.GradConfig = {
    ...upstream,
    gradFunc: (dy, saved, attributes) =>
      vouchedFor.has(attributes)
        ? gradient(dy as tf.Tensor, saved, attributes as unknown as DilatedAttributes)
        : upstream.gradFunc(dy, saved, attributes),
  };
  ours.add(config);
  // Registering a name twice warns in debug mode.
  tf.unregisterGradient(kernelName);
  tf.registerGradient(config);
}

const gradientsOf =
  (kernel: ForwardKernel): GradFunc =>
  (dy, saved, attributes) =>
    gradientsAt(kernel, saved[0]!, saved[1]!, dy, attributes);

/** The gradients of a convolution at x and filter, by the backend's kernels. */
function gradientsAt(
  kernel: ForwardKernel,
  x: tf.Tensor,
  filter: tf.Tensor,
  dy: tf.Tensor,
  convolution: DilatedAttributes,
): Gradients {
  const { strides, pad, dilations, dimRoundingMode } = convolution;
  const depthwise = kernel === 'DepthwiseConv2dNative' || kernel === 'FusedDepthwiseConv2D';
  const name = depthwise ? 'DepthwiseConv2dNativeBackprop' : 'Conv2DBackprop';
  const attributes = { strides, pad, dilations, dimRoundingMode, dataFormat: 'NHWC' };
  return {
    x: () => {
      const all = { ...attributes, inputShape: x.shape };
      if (isDilated(convolution)) vouchedFor.add(all);
      if (isDilated(convolution) && !depthwise) widenGradient('Conv2DBackpropInput', secondGradients);
      return run(`${name}Input`, { dy, filter }, all);
    },
    filter: () => run(`${name}Filter`, { x, dy }, { ...attributes, filterShape: filter.shape }),
  };
}

/** The gradients of a convolution's gradient for its input, which is linear in dy and in the filter. */
const secondGradients: GradFunc = (ddx, [dy, filter], attributes) => {
  const { strides, pad, dilations, dimRoundingMode } = attributes;
  return {
    dy: () =>
      tf.conv2d(
        ...([ddx as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC'] as const),
        ...([dilations as [number, number], dimRoundingMode] as const),
      ),
    filter: gradientsAt('Conv2D', ddx, filter!, dy!, attributes).filter,
  };
};

function run(kernelName: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel(kernelName, inputs, attributes as tf.NamedAttrMap);
}

const FUSED_OPS = ['fusedConv2d', 'fusedDepthwiseConv2d'].map((name) => name + tf.OP_SCOPE_SUFFIX);
const watched = new WeakSet<object>();

/**
 * Lets `differentiateConvolution` work for tf.fused.conv2d and tf.fused.depthwiseConv2d, which tf.layers calls. They carry
 * their gradients in a `customGrad` instead of the registry, and nothing but that is asked when they are differentiated.
 */
export function watchFusedConvolutions(): void {
  const engine = tf.engine();
  if (watched.has(engine)) return;
  watched.add(engine);
  const customGrad = engine.customGrad.bind(engine);
  engine.customGrad = (f) =>
    FUSED_OPS.includes(engine.state.activeScope?.name) ? withOurGradient(f) : customGrad(f);
}

type CustomGradient<T extends tf.Tensor> = Parameters<typeof tf.customGrad<T>>[0];
type GradientMap = Readonly<Record<number, () => tf.Tensor>>;

/** What `customGrad` is made of. Its own gradients come all at once; here each may be left out. */
interface KernelRunner {
  runKernelFunc<T extends tf.Tensor>(call: {
    readonly inputs: Readonly<Record<number, tf.Tensor>>;
    readonly forwardFunc: (backend: unknown, save: tf.GradSaveFunc) => T;
    readonly backwardsFunc: (dy: T, saved: tf.Tensor[]) => GradientMap;
  }): T;
}

/** The same op; with the gradients from here, if it turns out to be a convolution that is vouched for. */
function withOurGradient<T extends tf.Tensor>(
  f: CustomGradient<T>,
): (...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => T {
  return (...inputs) => {
    let differentiate: (dy: T, saved: tf.Tensor[]) => GradientMap;
    return (tf.engine() as unknown as KernelRunner).runKernelFunc<T>({
      inputs: { ...(inputs as tf.Tensor[]) },
      forwardFunc: (_, save) => {
        fused = undefined;
        const { value, gradFunc } = f(...inputs, save);
        differentiate = fused === undefined ? (dy, saved) => allAtOnce(gradFunc(dy, saved)) : oneByOne(fused);
        return value;
      },
      backwardsFunc: (dy, saved) => differentiate(dy, saved),
    });
  };
}

function allAtOnce(gradients: tf.Tensor | tf.Tensor[]): GradientMap {
  return { ...[gradients].flat().map((gradient) => () => gradient) };
}

/** As the fused ops save their tensors: the filter, x, the output before it loses a batch axis of 1, the bias if any. */
function oneByOne({ kernel, attributes }: NonNullable<typeof fused>) {
  return (dy: tf.Tensor, [filter, x, y, bias]: tf.Tensor[]): GradientMap => {
    const slope = tf.reshape(dy, y!.shape);
    const gradients = gradientsAt(kernel, x!, filter!, slope, attributes);
    const both = { 0: gradients.x, 1: gradients.filter };
    if (bias === undefined) return both;
    const axes = tf.broadcast_util.getReductionAxes(bias.shape, slope.shape);
    return { ...both, 2: () => tf.reshape(axes.length === 0 ? slope : tf.sum(slope, axes), bias.shape) };
  };
}
