// Importing this package registers its kernels for the cpu backend. The backend is imported first, so that its own
// kernels are in the registry before ours take their place, whatever order the application imports the two in.
import '@tensorflow/tfjs-backend-cpu';
import { registerCpuKernels } from './register.ts';

export { KernelInputError, UnsupportedBackendError } from '@rebatch/core/kernels';

registerCpuKernels();
