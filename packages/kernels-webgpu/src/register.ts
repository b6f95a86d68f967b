// All kernels of this package, for the backend named 'webgpu'.
import { type BackendKernel, registerKernels } from '@rebatch/core/kernels';
import { backward } from './backward.ts';
import { backwardInput } from './backward-input.ts';
import { backwardReduce } from './backward-reduce.ts';
import { moments } from './moments.ts';
import { movingAverage } from './moving-average.ts';
import { normalize } from './normalize.ts';

const kernels: readonly BackendKernel[] = [
  moments,
  normalize,
  backwardReduce,
  backwardInput,
  backward,
  movingAverage,
];
export const kernelNames: readonly string[] = kernels.map(({ kernelName }) => kernelName);

/** Registers every kernel. */
export function registerWebGPUKernels(): void {
  registerKernels('webgpu', kernels);
}
