// Puts the kernels into TensorFlow.js's registry under the backend name 'webgpu'.
import { getKernel, type KernelConfig, registerKernel } from '@tensorflow/tfjs-core';
import { type AffineKind, backward } from './backward.ts';
import { kernel, shaped } from './kernel.ts';
import { backwardInput, normalize } from './maps.ts';
import { moments } from './moments.ts';
import { movingAverage } from './moving-average.ts';
import { backwardReduce } from './sums.ts';

const kernels: readonly KernelConfig[] = [
  kernel('RebatchMoments', ({ backend, view, ids, required }) => {
    const packed = moments(backend, view, required('x', view.size), ids);
    return shaped(packed, [2, view.groups, view.channels]);
  }),
  kernel('RebatchNormalize', ({ backend, view, ids, shape, attributes, required, affine }) => {
    const tensors = { x: required('x', view.size), moments: required('moments', slotsOf(view)), ids };
    const y = normalize(backend, view, tensors, affine('gamma'), affine('beta'), attributes.epsilon ?? 0);
    return shaped(y, shape);
  }),
  kernel('RebatchBackwardReduce', ({ backend, view, ids, attributes, required }) => {
    const [dy, x] = [required('dy', view.size), required('x', view.size)];
    const tensors = { dy, x, moments: required('moments', slotsOf(view)), ids };
    const sums = backwardReduce(backend, view, tensors, attributes.epsilon ?? 0);
    return shaped(sums, [2, view.groups, view.channels]);
  }),
  kernel('RebatchBackwardInput', ({ backend, view, ids, shape, attributes, required, affine }) => {
    const [dy, x] = [required('dy', view.size), required('x', view.size)];
    const tensors = { dy, x, moments: required('moments', slotsOf(view)), ids };
    const packed = required('pulls', slotsOf(view));
    const at = view.groups * view.channels;
    const pulls = { ofMean: packed, ofVariance: packed, at, factor: 1, timesGamma: false };
    const dx = backwardInput(backend, view, tensors, pulls, affine('gamma'), attributes.epsilon ?? 0);
    return shaped(dx, shape);
  }),
  kernel('RebatchBackward', ({ backend, view, ids, shape, attributes, required, affine }) => {
    const [dy, x] = [required('dy', view.size), required('x', view.size)];
    const tensors = { dy, x, moments: required('moments', slotsOf(view)), ids };
    const { epsilon = 0, count = 1, affine: kind = 0 } = attributes;
    const affineKind = AFFINE_KINDS[kind] ?? 'none';
    const [dx, ...rest] = backward(backend, view, tensors, affine('gamma'), affineKind, epsilon, count);
    const { groups, channels } = view;
    const each = affineKind === 'group' ? [groups, channels] : [channels];
    return [shaped(dx!, shape), ...rest.map((vector) => shaped(vector, each))];
  }),
  movingAverage,
];

export const kernelNames: readonly string[] = kernels.map(({ kernelName }) => kernelName);

/** By the number that stands for each in the attribute `affine`. */
const AFFINE_KINDS: readonly AffineKind[] = ['none', 'channel', 'group'];

/** Means and variances, or two sums: values in [2, groups, channels]. */
function slotsOf({ groups, channels }: { readonly groups: number; readonly channels: number }): number {
  return 2 * groups * channels;
}

/** Registers every kernel that is not there yet. */
export function registerWebGPUKernels(): void {
  for (const config of kernels) {
    // Registering a name twice warns on the console.
    if (getKernel(config.kernelName, config.backendName) === undefined) registerKernel(config);
  }
}
