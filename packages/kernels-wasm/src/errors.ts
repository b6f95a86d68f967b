import { RebatchError } from '@rebatch/stats';

/** The WASM heap cannot hold what a kernel needs. */
export class OutOfMemoryError extends RebatchError {}

/** A setting of the kernels that does not exist, or that this machine cannot have. */
export class KernelSettingsError extends RebatchError {}

/** The WASM backend of TensorFlow.js could not load its own `.wasm` file. */
export class WasmBinaryError extends RebatchError {}
