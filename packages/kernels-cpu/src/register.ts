// All kernels of this package, for the backend named 'cpu'.
import {
  type BackendKernel,
  differentiateConv3dTranspose,
  registerKernels,
  watchFusedConvolutions,
  withVolumePadding,
} from '@rebatch/core/kernels';
import { checked } from './backend.ts';
import { backwardInput } from './batch-norm/backward-input.ts';
import { backwardReduce } from './batch-norm/backward-reduce.ts';
import { moments } from './batch-norm/moments.ts';
import { normalize } from './batch-norm/normalize.ts';
import { averagePool3DGradient, averagePoolGradient } from './conv/average-pool.ts';
import { conv2d, filterGradient, inputGradient } from './conv/conv2d.ts';
import {
  depthwiseFilterGradient,
  depthwiseInputGradient,
  forwardDepthwise,
} from './conv/depthwise-conv2d.ts';
import { fusedConv2d } from './conv/fused-conv2d.ts';
import { maxPool, maxPool3DGradient, maxPoolGradient } from './conv/max-pool.ts';
import { gather } from './gather.ts';
import { resizeBilinearGradient, resizeNearestNeighborGradient } from './resize.ts';
import { segmentSum } from './segment-sum.ts';

const kernels: readonly BackendKernel[] = [
  moments,
  normalize,
  backwardReduce,
  backwardInput,
  conv2d,
  fusedConv2d,
  filterGradient,
  inputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  maxPool,
  maxPoolGradient,
  averagePoolGradient,
  maxPool3DGradient,
  averagePool3DGradient,
  resizeNearestNeighborGradient,
  resizeBilinearGradient,
  gather,
  segmentSum,
];
export const kernelNames: readonly string[] = kernels.map(({ kernelName }) => kernelName);

/** Registers every kernel, in the place of upstream's where there is one; and mends how upstream's others are called. */
export function registerCpuKernels(): void {
  registerKernels('cpu', [...withVolumePadding(kernels, checked), ...forwardDepthwise]);
  watchFusedConvolutions();
  differentiateConv3dTranspose();
}
