// Importing this package registers its kernels for the WASM backend. The backend is imported first, so that its own
// kernels are in the registry before ours take their place, whatever order the application imports the two in.
import '@tensorflow/tfjs-backend-wasm';
import { explainMissingBinary } from './missing-binary.ts';
import { registerWasmKernels } from './register.ts';

export { KernelInputError, UnsupportedBackendError } from '@rebatch/core/kernels';
export { KernelSettingsError, OutOfMemoryError, WasmBinaryError } from './errors.ts';
export { wasmKernelsSupported } from './module.ts';
export { configureWasmKernels, type WasmKernelSettings, wasmKernelSettings } from './settings.ts';

registerWasmKernels();
explainMissingBinary();
