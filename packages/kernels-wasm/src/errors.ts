// What can go wrong in a kernel, as errors that say what to do.
import { RebatchError } from '@rebatch/stats';

/** The WASM backend's internals are not where these kernels look for them. */
export class UnsupportedBackendError extends RebatchError {}

/** A kernel was called with tensors that do not fit each other or its attributes. */
export class KernelInputError extends RebatchError {}

/** The WASM heap cannot hold what a kernel needs. */
export class OutOfMemoryError extends RebatchError {}
