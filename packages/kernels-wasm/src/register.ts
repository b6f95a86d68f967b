// All kernels of this package, for the backend named 'wasm'.
import {
  type BackendKernel,
  differentiateConv3dTranspose,
  registerKernels,
  watchFusedConvolutions,
  withVolumePadding,
} from '@rebatch/core/kernels';
import { averagePool3DGradient, averagePoolGradient } from './average-pool.ts';
import { checked } from './backend.ts';
import { backward } from './batch-norm/backward.ts';
import { backwardInput } from './batch-norm/backward-input.ts';
import { backwardReduce } from './batch-norm/backward-reduce.ts';
import { moments } from './batch-norm/moments.ts';
import { normalize } from './batch-norm/normalize.ts';
import { measureOver, normalizeOver } from './batch-norm/over.ts';
import { cast } from './cast.ts';
import { clip, relu6 } from './clip.ts';
import { filterGradient, inputGradient } from './conv2d.ts';
import { volumeFilterGradient, volumeInputGradient } from './conv3d.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-conv2d.ts';
import { forwardConvolutions } from './forward-convolutions.ts';
import { fusedMatMul } from './fused-mat-mul.ts';
import { gather } from './gather.ts';
import { identity } from './identity.ts';
import { maxPool3D, maxPool3DGradient, maxPoolGradient } from './max-pool.ts';
import { wasmKernelsSupported } from './module.ts';
import { oneHot } from './one-hot.ts';
import { prelu } from './prelu.ts';
import { resizeBilinearGradient, resizeNearestNeighborGradient } from './resize.ts';
import { reverseBools } from './reverse.ts';
import { segmentSum } from './segment-sum.ts';
import { slice, unpack } from './slice.ts';

const kernels: readonly BackendKernel[] = [
  moments,
  normalize,
  normalizeOver,
  measureOver,
  backwardReduce,
  backwardInput,
  backward,
  filterGradient,
  inputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  maxPoolGradient,
  averagePoolGradient,
  volumeFilterGradient,
  volumeInputGradient,
  maxPool3D,
  maxPool3DGradient,
  averagePool3DGradient,
  resizeNearestNeighborGradient,
  resizeBilinearGradient,
  gather,
  segmentSum,
  fusedMatMul,
  prelu,
  cast,
  clip,
  relu6,
  oneHot,
  reverseBools,
  slice,
  unpack,
  identity,
];
export const kernelNames: readonly string[] = kernels.map(({ kernelName }) => kernelName);

/**
 * Registers every kernel, in the place of upstream's where there is one, and mends how upstream's others are called;
 * nothing where SIMD is missing.
 */
export function registerWasmKernels(): void {
  if (!wasmKernelsSupported()) return;
  registerKernels('wasm', [...withVolumePadding(kernels, checked), ...forwardConvolutions]);
  watchFusedConvolutions();
  differentiateConv3dTranspose();
}
