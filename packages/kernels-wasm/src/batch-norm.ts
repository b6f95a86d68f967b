// The kernels behind @rebatch/core's ops; the contract is in its kernels.ts. Each reads and writes every value once.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Call, kernel, type WasmKernel } from './kernel.ts';
import { type View, type ViewAttributes, viewOf } from './view.ts';

interface Attributes extends ViewAttributes {
  readonly epsilon: number;
}

interface BatchNormCall extends Call<Attributes> {
  readonly view: View;
  readonly epsilon: number;
  /** The shape of x. */
  readonly shape: readonly number[];
}

function batchNormKernel(name: string, run: (call: BatchNormCall) => TensorInfo): WasmKernel {
  return kernel<Attributes>(name, (call) => {
    const { epsilon = 0 } = call.attributes;
    return run({ ...call, view: viewOf(call.attributes, name), epsilon, shape: call.shapeOf('x') ?? [] });
  });
}

const moments = batchNormKernel('RebatchMoments', ({ kernels, view, required, compute }) => {
  const { groups, rows, channels, inner, repeat, lanes, size } = view;
  const x = required('x', size);
  const shape = [2, groups, channels];
  if (repeat === 0) {
    return compute(shape, 16 * channels, (out, scratch) =>
      kernels.momentsRuns(x, out, scratch, groups, rows, channels, inner),
    );
  }
  return compute(shape, 20 * lanes, (out, scratch) =>
    kernels.momentsLanes(x, out, scratch, groups, rows, channels, inner, repeat),
  );
});

const normalize = batchNormKernel(
  'RebatchNormalize',
  ({ kernels, view, epsilon, shape, required, optional, compute }) => {
    const { groups, rows, channels, inner, repeat, lanes, size } = view;
    const x = required('x', size);
    const packed = required('moments', 2 * groups * channels);
    const gamma = optional('gamma', channels);
    const beta = optional('beta', channels);
    if (repeat === 0) {
      return compute(shape, 0, (y) =>
        kernels.normalizeRuns(x, y, packed, gamma, beta, groups, rows, channels, inner, epsilon),
      );
    }
    return compute(shape, 12 * lanes, (y, scratch) =>
      kernels.normalizeLanes(
        ...[x, y, packed, gamma, beta, scratch],
        ...[groups, rows, channels, inner, repeat, epsilon],
      ),
    );
  },
);

const backwardReduce = batchNormKernel(
  'RebatchBackwardReduce',
  ({ kernels, view, epsilon, required, compute }) => {
    const { groups, rows, channels, inner, repeat, lanes, size } = view;
    const dy = required('dy', size);
    const x = required('x', size);
    const packed = required('moments', 2 * groups * channels);
    const shape = [2, groups, channels];
    if (repeat === 0) {
      return compute(shape, 16 * channels, (out, scratch) =>
        kernels.backwardReduceRuns(dy, x, packed, out, scratch, groups, rows, channels, inner, epsilon),
      );
    }
    return compute(shape, 20 * lanes, (out, scratch) =>
      kernels.backwardReduceLanes(
        dy,
        x,
        packed,
        out,
        scratch,
        groups,
        rows,
        channels,
        inner,
        repeat,
        epsilon,
      ),
    );
  },
);

const backwardInput = batchNormKernel(
  'RebatchBackwardInput',
  ({ kernels, view, epsilon, shape, required, optional, compute }) => {
    const { groups, rows, channels, inner, repeat, lanes, size } = view;
    const dy = required('dy', size);
    const x = required('x', size);
    const packed = required('moments', 2 * groups * channels);
    const sums = required('sums', 2 * groups * channels);
    const gamma = optional('gamma', channels);
    if (repeat === 0) {
      return compute(shape, 0, (dx) =>
        kernels.backwardInputRuns(dy, x, dx, packed, sums, gamma, groups, rows, channels, inner, epsilon),
      );
    }
    return compute(shape, 16 * lanes, (dx, scratch) =>
      kernels.backwardInputLanes(
        ...[dy, x, dx, packed, sums, gamma, scratch],
        ...[groups, rows, channels, inner, repeat, epsilon],
      ),
    );
  },
);

export const batchNormKernels: readonly WasmKernel[] = [moments, normalize, backwardReduce, backwardInput];
