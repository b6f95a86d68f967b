// What can go wrong in a kernel, whatever backend it is for.
import { RebatchError } from '@rebatch/stats';

/** The backend of this name is not built as the kernels that are registered for it expect. */
export class UnsupportedBackendError extends RebatchError {}

/** A kernel was called with tensors that do not fit each other or its attributes. Nothing was computed. */
export class KernelInputError extends RebatchError {}
