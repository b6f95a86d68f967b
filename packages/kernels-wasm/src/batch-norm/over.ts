// Kernels that leave their output where their input was: for values that nobody else reads.
import {
  type BackendKernel,
  KERNELS,
  type KernelContract,
  KernelInputError,
  kernelView,
  type Limits,
  requiredInput,
  requiredMoments,
} from '@rebatch/core/kernels';
import { shown } from '@rebatch/stats/~internal';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, checked, kernelsOf, type WasmBackend, withScratch } from '../backend.ts';
import { lanesOf, mapScratch, reductionScratch } from './view.ts';

type Key = 'normalizeOver' | 'measureOver';

/** A kernel of the contract that has one group. */
function overKernel<K extends Key>(
  key: K,
  run: (
    backend: WasmBackend,
    inputs: KernelContract[K]['inputs'],
    attributes: KernelContract[K]['attributes'],
  ) => KernelContract[K]['output'],
): BackendKernel {
  return {
    kernelName: KERNELS[key],
    kernelFunc: (call) => {
      const attributes = call.attrs as unknown as KernelContract[K]['attributes'];
      checkLimits(KERNELS[key], attributes);
      return run(checked(call.backend), call.inputs as unknown as KernelContract[K]['inputs'], attributes) as
        | TensorInfo
        | TensorInfo[];
    },
  };
}

/** @throws {KernelInputError} for numbers that clip nothing. */
function checkLimits(name: string, { low, high }: Limits): void {
  if (low <= high) return;
  throw new KernelInputError(`${name}: expected low <= high, got ${shown(low)} and ${shown(high)}.`);
}

/** The same memory as another tensor. */
function shared(backend: WasmBackend, { dataId, shape, dtype }: TensorInfo): TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape: [...shape], dtype };
}

export const normalizeOver = overKernel('normalizeOver', (backend, inputs, attributes) => {
  const name = KERNELS.normalizeOver;
  const { outer, channels, inner, epsilon, low, high } = attributes;
  if (!(epsilon >= 0)) {
    throw new KernelInputError(
      `${name}: expected epsilon to be a number of at least 0, got ${shown(epsilon)}.`,
    );
  }
  const view = kernelView({ outer, channels, inner, groups: 1 }, undefined, name);
  const { rows } = view;
  const given = inputs as unknown as Record<string, TensorInfo | undefined>;
  const at = (input: string, size: number) => addressOf(backend, requiredInput(given, input, size, name));
  const x = at('x', view.size);
  const moments = addressOf(backend, requiredMoments(given, 'moments', channels, name));
  const gamma = inputs.gamma ? at('gamma', channels) : 0;
  const beta = inputs.beta ? at('beta', channels) : 0;
  const kernels = kernelsOf(backend);
  const lanes = lanesOf(view);
  if (lanes.repeat === 0) {
    // Long runs: a pass more, which is rare.
    // biome-ignore format: as many as the module takes
    kernels.normalizeRuns(
      x, 0, x, moments, gamma, beta, 1, 1, rows, channels, inner, 0, 0, epsilon,
    );
    kernels.clipOver(x, view.size, low, high);
  } else {
    withScratch(backend, mapScratch(view, lanes, 3), name, (scratch) =>
      // biome-ignore format: as many as the module takes
      kernels.normalizeOverLanes(
        x, moments, gamma, beta, scratch, rows, channels, inner, lanes.repeat, epsilon, low, high,
      ),
    );
  }
  return shared(backend, inputs.x);
});

export const measureOver = overKernel('measureOver', (backend, inputs, attributes) => {
  const name = KERNELS.measureOver;
  const { outer, channels, inner, low, high } = attributes;
  const view = kernelView({ outer, channels, inner, groups: 1 }, undefined, name);
  const { rows, size } = view;
  requiredInput({ x: inputs.x }, 'x', size, name);
  const kernels = kernelsOf(backend);
  const lanes = lanesOf(view);
  const clips = low > Number.NEGATIVE_INFINITY || high < Number.POSITIVE_INFINITY ? 1 : 0;
  const runs = lanes.repeat === 0;
  const bytes = runs ? 16 * channels : reductionScratch(view, lanes, 1);
  const moments = withScratch(backend, bytes, name, (scratch) => {
    const output = allocate(backend, [3, 1, channels], name);
    const [out, x] = [addressOf(backend, output), addressOf(backend, inputs.x)];
    if (runs) {
      kernels.momentsRuns(x, 0, out, scratch, 1, 1, rows, channels, inner, 1);
      if (clips) kernels.clipOver(x, size, low, high);
    } else {
      // biome-ignore format: as many as the module takes
      kernels.momentsLanes(
        x, 0, out, scratch, 1, 1, rows, channels, inner, lanes.repeat, 1, clips, low, high,
      );
    }
    return output;
  });
  return [shared(backend, inputs.x), moments];
});
