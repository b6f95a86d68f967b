// conv2d with what follows it, as tf.layers calls it.
import { type BackendKernel, differentiateConvolution, sizeOf } from '@rebatch/core/kernels';
import type { Call } from '../kernel.ts';
import { convKernel, convolve } from './conv2d.ts';
import { type ConvAttributes, inputSize, isForeign, patchLength } from './geometry.ts';

interface FusedAttributes extends ConvAttributes {
  readonly activation?: string | null;
}

/** As upstream computes them; the others are left to it. */
const ACTIVATIONS: Readonly<Record<string, (value: number) => number>> = {
  linear: (value) => value,
  relu: (value) => Math.max(0, value),
  relu6: (value) => Math.min(Math.max(0, value), 6),
  elu: (value) => (value >= 0 ? value : Math.exp(value) - 1),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};

/** inputs {x: NHWC, filter, bias?} -> NHWC. */
export const fusedConv2d: BackendKernel = {
  ...convKernel('FusedConv2D', (call: Call<FusedAttributes>, info) => {
    differentiateConvolution('FusedConv2D', call.attributes);
    const x = call.required('x', inputSize(info));
    const filter = call.required('filter', patchLength(info) * info.outChannels);
    const bias = call.optional('bias', info.outChannels);
    const activate = ACTIVATIONS[call.attributes.activation ?? 'linear']!;
    const finish = (sum: number, channel: number) =>
      activate(bias === undefined ? sum : sum + bias[channel]!);
    return call.output(info.outShape, convolve(x, filter, info, finish));
  }),
  leaves: (attributes, inputs) => {
    const { activation } = attributes as FusedAttributes;
    const { bias, filter, preluActivationWeights } = inputs;
    return (
      isForeign(attributes, inputs) ||
      preluActivationWeights !== undefined ||
      !Object.hasOwn(ACTIVATIONS, activation ?? 'linear') ||
      // A bias of one value, or of more axes, broadcasts.
      (bias !== undefined && (bias.shape.length !== 1 || sizeOf(bias.shape) !== filter?.shape[3]))
    );
  },
};
