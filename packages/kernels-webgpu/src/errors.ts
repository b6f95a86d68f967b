// What can go wrong in a kernel, as errors that say what to do.
import { RebatchError } from '@rebatch/stats';

/** The WebGPU backend is not built as these kernels expect. */
export class UnsupportedBackendError extends RebatchError {}

/** A kernel was called with tensors that do not fit each other or its attributes. */
export class KernelInputError extends RebatchError {}
