// The gradient that reaches x, in one read of dy and x and one write.
import { groupStride, KERNELS } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { GradientCall } from './backward-reduce.ts';
import { batchNormKernel, flattened, shaped } from './kernel.ts';
import { type Loader, mapValues } from './map.ts';

export const backwardInput = batchNormKernel(
  'backwardInput',
  ({ backend, view, inputs, attributes: { epsilon }, shape }) => {
    const { pulls, ...tensors } = flattened(inputs);
    const at = view.groups * view.channels;
    const packed = { ofMean: pulls, ofVariance: pulls, at, factor: 1, timesGamma: false };
    return shaped(inputGradient({ backend, view, tensors, epsilon }, packed), shape);
  },
);

/** What dx is made of besides dy, x and their moments. */
export interface Pulls {
  /** For each group and channel, the pulls of the mean and of the variance, or what they are a multiple of. */
  readonly ofMean: TensorInfo;
  readonly ofVariance: TensorInfo;
  /** Where in `ofVariance` they begin. */
  readonly at: number;
  /** Their multiple, and whether gamma is another factor. */
  readonly factor: number;
  readonly timesGamma: boolean;
}

/** (gamma * dy - pull of the mean - xhat * pull of the variance) / sqrt(variance + epsilon), flat. */
export function inputGradient(
  { backend, view, tensors, epsilon }: GradientCall,
  { ofMean, ofVariance, at, factor, timesGamma }: Pulls,
): TensorInfo {
  const { dy, x, moments, gamma, ids } = tensors;
  const code = (of: Loader) => ({
    load: `
      let inverse = ${of((c) => `scaleOf(group, ${c})`)};
      let weight = ${gamma ? of((c) => `gamma[group * uniforms.perGamma + ${c}]`) : 'V(1.0)'};
      let pull = inverse * uniforms.pullFactor * select(V(1.0), weight, uniforms.pullTimesGamma != 0);
      mean = ${of((c) => `moments[group * uniforms.channels + ${c}]`)};
      scale = inverse * weight;
      shift = pull * ${of((c) => `ofMean[group * uniforms.channels + ${c}]`)};
      slope = pull * inverse * ${of((c) => `ofVariance[uniforms.pullAt + group * uniforms.channels + ${c}]`)};`,
    variables: ['mean', 'scale', 'shift', 'slope'],
    value: '(dy[address] * scale - shift) - (x[address] - mean) * slope',
  });
  return mapValues(backend, {
    name: KERNELS.backwardInput,
    view,
    wide: { dy, x },
    // With ids and gamma, these 7 and the output are the 8 storage buffers that every device has.
    narrow: { moments, ofMean, ofVariance, gamma, ids },
    code,
    integers: { perGamma: groupStride(gamma, view), pullAt: at, pullTimesGamma: timesGamma ? 1 : 0 },
    floats: { epsilon, pullFactor: factor },
  });
}
