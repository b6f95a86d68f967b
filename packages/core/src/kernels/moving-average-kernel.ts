// The kernel of a step of a moving average, which takes no view.
import { shown } from '@rebatch/stats/~internal';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { KERNELS, type KernelContract } from './contract.ts';
import { KernelInputError } from './errors.ts';
import { type KernelInputs, requiredInput, sizeOf } from './inputs.ts';
import type { BackendKernel } from './register.ts';

/** One call of the kernel, checked: `batch` holds as many values from `offset` on as `moving` does. */
export interface MovingAverageCall<B> {
  readonly kernelName: string;
  readonly backend: B;
  readonly inputs: KernelContract['movingAverage']['inputs'];
  readonly attributes: KernelContract['movingAverage']['attributes'];
  /** The shape of `moving`, and of the output. The kernel may keep the array. */
  readonly shape: number[];
}

/**
 * The kernel, to be registered. Its calls throw a {@link KernelInputError} for tensors or attributes that are not what
 * the contract says.
 *
 * @param checkBackend gives what `run` needs of the backend, or throws an {@link UnsupportedBackendError}.
 */
export function movingAverageKernel<B>(
  checkBackend: (backend: unknown) => B,
  run: (call: MovingAverageCall<B>) => TensorInfo,
): BackendKernel {
  const kernelName = KERNELS.movingAverage;
  return {
    kernelName,
    kernelFunc: (call) => {
      const backend = checkBackend(call.backend);
      const given = call.inputs as KernelInputs;
      const { offset, rate } = (call.attrs ?? {}) as unknown as MovingAverageCall<B>['attributes'];
      const shape = [...(given.moving?.shape ?? [])];
      const size = sizeOf(shape);
      const length = sizeOf(given.batch?.shape ?? []);
      const moving = requiredInput(given, 'moving', size, kernelName);
      const batch = requiredInput(given, 'batch', length, kernelName);
      if (!Number.isInteger(offset) || offset < 0 || offset + size > length) {
        throw new KernelInputError(
          `${kernelName}: expected batch to hold ${size} values from ${offset} on, got shape [${batch.shape.join(', ')}].`,
        );
      }
      if (!Number.isFinite(rate)) {
        throw new KernelInputError(`${kernelName}: expected rate to be a finite number, got ${shown(rate)}.`);
      }
      return run({ kernelName, backend, inputs: { moving, batch }, attributes: { offset, rate }, shape });
    },
  };
}
