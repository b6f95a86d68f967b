// Importing this package registers its kernels for the WebGPU backend, which it imports, too.
import '@tensorflow/tfjs-backend-webgpu';
import { registerWebGPUKernels } from './register.ts';

export { KernelInputError, UnsupportedBackendError } from '@rebatch/core/kernels';
export { DeviceLimitError } from './errors.ts';

registerWebGPUKernels();
