// The one place that touches the cpu backend: how to see a tensor's values, and how to make a tensor of values.
import { UnsupportedBackendError } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';

/** The part of MathBackendCPU that the kernels use; both methods are in its published types. */
export interface CpuBackend {
  readSync(dataId: object): unknown;
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

/**
 * The same backend, checked.
 *
 * @throws {UnsupportedBackendError} if it lacks what the kernels need.
 */
export function checked(backend: unknown): CpuBackend {
  for (const method of ['readSync', 'makeTensorInfo'] as const) {
    if (typeof (backend as Partial<CpuBackend>)[method] === 'function') continue;
    throw new UnsupportedBackendError(
      `@rebatch/kernels-cpu: expected a cpu backend with ${method}, which this one lacks. The kernels work with ` +
        '@tensorflow/tfjs-backend-cpu 4.22; install that version, or drop the import of @rebatch/kernels-cpu.',
    );
  }
  return backend as CpuBackend;
}

/** The values of a float32 tensor, not copied: they are not to be written. */
export function floatsOf(backend: CpuBackend, tensor: TensorInfo): Float32Array;
export function floatsOf(backend: CpuBackend, tensor: TensorInfo | undefined): Float32Array | undefined;
export function floatsOf(backend: CpuBackend, tensor: TensorInfo | undefined): Float32Array | undefined {
  return tensor && valuesOf(backend, tensor, Float32Array);
}

/** The same for an int32 tensor. */
export function integersOf(backend: CpuBackend, tensor: TensorInfo): Int32Array;
export function integersOf(backend: CpuBackend, tensor: TensorInfo | undefined): Int32Array | undefined;
export function integersOf(backend: CpuBackend, tensor: TensorInfo | undefined): Int32Array | undefined {
  return tensor && valuesOf(backend, tensor, Int32Array);
}

/**
 * The backend keeps what it was given, which may be a plain array; loops that are compiled for one kind of array would
 * be slow on another.
 */
function valuesOf<T>(
  backend: CpuBackend,
  { dataId }: TensorInfo,
  kind: { new (values: ArrayLike<number>): T },
): T {
  const values = backend.readSync(dataId);
  return values instanceof kind ? values : new kind(values as ArrayLike<number>);
}
