// What can go wrong in a kernel, as errors that say what to do.
import { RebatchError } from '@rebatch/stats';

/** The backend named `cpu` is not the one that these kernels are for. */
export class UnsupportedBackendError extends RebatchError {}

/** A kernel was called with tensors that do not fit each other or its attributes. */
export class KernelInputError extends RebatchError {}
