// The kernels behind @rebatch/core's ops; the contract is in its kernels.ts. Each reads and writes every value once.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Call, kernel, type WasmKernel } from './kernel.ts';
import { type View, type ViewAttributes, viewOf } from './view.ts';

interface Attributes extends ViewAttributes {
  readonly epsilon: number;
}

interface BatchNormCall extends Call<Attributes> {
  readonly view: View;
  /** The address of the group of each block, 0 where each group is one block. */
  readonly ids: number;
  readonly epsilon: number;
  /** The shape of x. */
  readonly shape: readonly number[];
  /** The address of gamma or beta, 0 for none, and how many values apart those of two groups are. */
  affine(name: 'gamma' | 'beta'): readonly [address: number, perGroup: number];
}

function batchNormKernel(name: string, run: (call: BatchNormCall) => TensorInfo): WasmKernel {
  return kernel<Attributes>(name, (call) => {
    const { epsilon = 0 } = call.attributes;
    const view = viewOf(call.attributes, sizeOf(call.shapeOf('ids')), name);
    const { groups, channels } = view;
    return run({
      ...call,
      view,
      ids: call.optional('ids', view.blocks, 'int32'),
      epsilon,
      shape: call.shapeOf('x') ?? [],
      affine: (input) => {
        // A value per channel, or one per group and channel.
        const perGroup = sizeOf(call.shapeOf(input)) === channels ? 0 : channels;
        return [call.optional(input, perGroup === 0 ? channels : groups * channels), perGroup];
      },
    });
  });
}

function sizeOf(shape: readonly number[] | undefined): number | undefined {
  return shape?.reduce((total, length) => total * length, 1);
}

/** Bytes of scratch for a reduction by lanes: sums, tables of rows, and room for copies of rows where they scatter. */
function scratchFor({ lanes, repeat }: View, ids: number, tensors: number): number {
  const copies = ids === 0 || repeat === 1 ? 0 : 128 * tensors;
  return 256 + (20 + copies) * lanes;
}

/** The same for a map by lanes: tables of coefficients, and a mark for each that may be made later. */
function tablesFor({ lanes, groups }: View, ids: number, coefficients: number): number {
  return ids === 0 ? 4 * coefficients * lanes : 4 * (coefficients * lanes + 1) * groups;
}

const moments = batchNormKernel('RebatchMoments', ({ kernels, view, ids, required, compute }) => {
  const { groups, blocks, rows, channels, inner, repeat, size } = view;
  const x = required('x', size);
  const shape = [2, groups, channels];
  if (repeat === 0) {
    return compute(shape, 16 * channels, (out, scratch) =>
      kernels.momentsRuns(x, ids, out, scratch, groups, blocks, rows, channels, inner),
    );
  }
  return compute(shape, scratchFor(view, ids, 1), (out, scratch) =>
    kernels.momentsLanes(x, ids, out, scratch, groups, blocks, rows, channels, inner, repeat),
  );
});

const normalize = batchNormKernel(
  'RebatchNormalize',
  ({ kernels, view, ids, epsilon, shape, required, affine, compute }) => {
    const { groups, blocks, rows, channels, inner, repeat, size } = view;
    const x = required('x', size);
    const packed = required('moments', 2 * groups * channels);
    const [gamma, perGamma] = affine('gamma');
    const [beta, perBeta] = affine('beta');
    if (repeat === 0) {
      return compute(shape, 0, (y) =>
        kernels.normalizeRuns(
          ...[x, ids, y, packed, gamma, beta],
          ...[groups, blocks, rows, channels, inner, perGamma, perBeta, epsilon],
        ),
      );
    }
    return compute(shape, tablesFor(view, ids, 3), (y, scratch) =>
      kernels.normalizeLanes(
        ...[x, ids, y, packed, gamma, beta, scratch],
        ...[groups, blocks, rows, channels, inner, repeat, perGamma, perBeta, epsilon],
      ),
    );
  },
);

const backwardReduce = batchNormKernel(
  'RebatchBackwardReduce',
  ({ kernels, view, ids, epsilon, required, compute }) => {
    const { groups, blocks, rows, channels, inner, repeat, size } = view;
    const dy = required('dy', size);
    const x = required('x', size);
    const packed = required('moments', 2 * groups * channels);
    const shape = [2, groups, channels];
    if (repeat === 0) {
      return compute(shape, 16 * channels, (out, scratch) =>
        kernels.backwardReduceRuns(
          ...[dy, x, ids, packed, out, scratch],
          ...[groups, blocks, rows, channels, inner, epsilon],
        ),
      );
    }
    return compute(shape, scratchFor(view, ids, 2), (out, scratch) =>
      kernels.backwardReduceLanes(
        ...[dy, x, ids, packed, out, scratch],
        ...[groups, blocks, rows, channels, inner, repeat, epsilon],
      ),
    );
  },
);

const backwardInput = batchNormKernel(
  'RebatchBackwardInput',
  ({ kernels, view, ids, epsilon, shape, required, affine, compute }) => {
    const { groups, blocks, rows, channels, inner, repeat, size } = view;
    const dy = required('dy', size);
    const x = required('x', size);
    const packed = required('moments', 2 * groups * channels);
    const pulls = required('pulls', 2 * groups * channels);
    const [gamma, perGamma] = affine('gamma');
    if (repeat === 0) {
      return compute(shape, 0, (dx) =>
        kernels.backwardInputRuns(
          ...[dy, x, ids, dx, packed, pulls, gamma],
          ...[groups, blocks, rows, channels, inner, perGamma, epsilon],
        ),
      );
    }
    return compute(shape, tablesFor(view, ids, 4), (dx, scratch) =>
      kernels.backwardInputLanes(
        ...[dy, x, ids, dx, packed, pulls, gamma, scratch],
        ...[groups, blocks, rows, channels, inner, repeat, perGamma, epsilon],
      ),
    );
  },
);

export const batchNormKernels: readonly WasmKernel[] = [moments, normalize, backwardReduce, backwardInput];
