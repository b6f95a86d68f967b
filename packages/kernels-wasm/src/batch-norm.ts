// The kernels behind @rebatch/core's ops; the contract is in its kernels.ts. Each reads and writes every value once.
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, kernelsOf, type WasmBackend, withScratch } from './backend.ts';
import { type Inputs, input, optionalInput } from './inputs.ts';
import type { KernelModule } from './module.ts';
import { type View, viewOf } from './view.ts';

interface Call {
  readonly kernels: KernelModule;
  readonly view: View;
  readonly epsilon: number;
  readonly shape: readonly number[];
  /** The address of a required input of that many values. */
  required(name: string, size: number): number;
  /** The same for an optional input; 0 where it is not given. */
  optional(name: string, size: number): number;
  /** Lends scratch memory to `body` along with the address of a new output, which is returned. */
  compute(
    shape: readonly number[],
    scratchBytes: number,
    body: (out: number, scratch: number) => void,
  ): TensorInfo;
}

function kernel(kernelName: string, run: (call: Call) => TensorInfo): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = (call) => {
    const backend = call.backend as WasmBackend;
    const given = call.inputs as Inputs;
    const { epsilon = 0 } = (call.attrs ?? {}) as { epsilon?: number };
    return run({
      kernels: kernelsOf(backend),
      view: viewOf(call.attrs, kernelName),
      epsilon,
      shape: given.x?.shape ?? [],
      required: (name, size) => input(backend, given, name, size, kernelName),
      optional: (name, size) => optionalInput(backend, given, name, size, kernelName),
      compute: (shape, scratchBytes, body) =>
        withScratch(backend, scratchBytes, kernelName, (scratch) => {
          const output = allocate(backend, shape, kernelName);
          body(addressOf(backend, output), scratch);
          return output;
        }),
    });
  };
  return { kernelName, backendName: 'wasm', kernelFunc };
}

const moments = kernel('RebatchMoments', ({ kernels, view, required, compute }) => {
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

const normalize = kernel(
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

const backwardReduce = kernel('RebatchBackwardReduce', ({ kernels, view, epsilon, required, compute }) => {
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
    kernels.backwardReduceLanes(dy, x, packed, out, scratch, groups, rows, channels, inner, repeat, epsilon),
  );
});

const backwardInput = kernel(
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

export const batchNormKernels: readonly KernelConfig[] = [moments, normalize, backwardReduce, backwardInput];
