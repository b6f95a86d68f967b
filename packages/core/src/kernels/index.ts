// For packages that bring kernels for a backend: the contract, and what each of them would otherwise write itself.
// Apps import such a package, and nothing from here.

// The contract

export {
  type AffineKind,
  type BatchKernelKey,
  KERNELS,
  type KernelContract,
  type KernelKey,
  type Limits,
} from './contract.ts';

// To implement it

export { type BatchKernelCall, batchKernel, groupStride } from './batch-kernel.ts';
export { type MovingAverageCall, movingAverageKernel } from './moving-average-kernel.ts';
export { type BackendKernel, registerKernels } from './register.ts';
export { type KernelView, kernelView } from './view.ts';

// For kernels that take the place of TensorFlow.js's own, which the contract does not know

export { differentiateConv3dTranspose } from './conv3d-transpose.ts';
export {
  type DilatedAttributes,
  differentiateConvolution,
  watchFusedConvolutions,
  withDilatedGradient,
} from './convolution-gradients.ts';
export { type KernelInputs, requiredInput, requiredMoments, sizeOf } from './inputs.ts';
export {
  type ResizeAttributes,
  type ResizedAxis,
  type ResizedImages,
  resizedImages,
} from './resized-images.ts';
export { type UpstreamCall, upstreamCall, upstreamKernel } from './upstream-kernel.ts';
export { withVolumePadding } from './volume-padding.ts';

// To call a kernel, and what such calls throw

export { KernelInputError, UnsupportedBackendError } from './errors.ts';
export { runKernel } from './run-kernel.ts';
