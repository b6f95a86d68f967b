// The kernels behind @rebatch/core's ops; the contract is in its kernels.ts. Each reads and writes every value once.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { inputGradient, normalized, type Vector } from './affine-maps.ts';
import { backwardSums } from './backward-reduce.ts';
import { type Call, type CpuKernel, kernel, sizeOf } from './kernel.ts';
import { momentsOf } from './moments.ts';
import { type View, type ViewAttributes, viewOf } from './view.ts';

interface Attributes extends ViewAttributes {
  readonly epsilon: number;
}

interface BatchNormCall extends Call<Attributes> {
  readonly view: View;
  readonly epsilon: number;
  /** An input of the size of x. */
  large(name: 'x' | 'dy'): Float32Array;
  /** An input [2, groups, channels]. */
  packed(name: 'moments' | 'pulls'): Float32Array;
  /** A value per channel, or one per group and channel. */
  affine(name: 'gamma' | 'beta'): Vector;
}

function batchNormKernel(name: string, run: (call: BatchNormCall) => TensorInfo): CpuKernel {
  return kernel<Attributes>(name, (call) => {
    const { attributes, shapeOf, required, optional, optionalIntegers } = call;
    const ids = optionalIntegers('ids', sizeOf(shapeOf('ids') ?? []));
    const view = viewOf(attributes as Attributes, ids, name);
    const { groups, channels } = view;
    return run({
      ...call,
      view,
      epsilon: attributes.epsilon ?? 0,
      large: (input) => required(input, view.size),
      packed: (input) => required(input, 2 * groups * channels),
      affine: (input) => {
        const perGroup = sizeOf(shapeOf(input) ?? []) === groups * channels;
        return optional(input, perGroup ? groups * channels : channels);
      },
    });
  });
}

const moments = batchNormKernel('RebatchMoments', ({ view, large, output }) =>
  output([2, view.groups, view.channels], momentsOf(large('x'), view)),
);

const normalize = batchNormKernel(
  'RebatchNormalize',
  ({ view, epsilon, shapeOf, large, packed, affine, output }) =>
    output(
      shapeOf('x')!,
      normalized(large('x'), packed('moments'), affine('gamma'), affine('beta'), view, epsilon),
    ),
);

const backwardReduce = batchNormKernel('RebatchBackwardReduce', ({ view, epsilon, large, packed, output }) =>
  output(
    [2, view.groups, view.channels],
    backwardSums(large('dy'), large('x'), packed('moments'), view, epsilon),
  ),
);

const backwardInput = batchNormKernel(
  'RebatchBackwardInput',
  ({ view, epsilon, shapeOf, large, packed, affine, output }) => {
    const [dy, x] = [large('dy'), large('x')];
    const [given, pulls] = [packed('moments'), packed('pulls')];
    return output(shapeOf('x')!, inputGradient(dy, x, given, pulls, affine('gamma'), view, epsilon));
  },
);

export const batchNormKernels: readonly CpuKernel[] = [moments, normalize, backwardReduce, backwardInput];
