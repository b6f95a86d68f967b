// The geometry that pooling kernels share, of images and of volumes.
import { type BackendKernel, KernelInputError } from '@rebatch/core/kernels';
import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { setGeometry, setVolume, type VolumeInfo } from './convolution.ts';
import { type Call, kernel } from './kernel.ts';

/** Attributes of pooling and its gradients: numbers, or one for each spatial axis. */
interface PoolAttributes {
  readonly filterSize: number | number[];
  readonly strides: number | number[];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** What a pooling kernel is about: sizes in values. */
export interface Pool {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly inShape: number[];
  readonly outShape: number[];
}

/**
 * A kernel for pooling or its gradient; the module knows the windows when `run` is called.
 *
 * @param rank that of the tensors, channels last: 4 for images, 5 for volumes.
 * @param input the name of the input that is pooled.
 */
export function poolingKernel(
  name: string,
  rank: 4 | 5,
  input: string,
  run: (call: Call<PoolAttributes>, pool: Pool) => TensorInfo,
): BackendKernel {
  return kernel<PoolAttributes>(name, (call) => {
    const { filterSize, strides, pad, dimRoundingMode } = call.attributes as PoolAttributes;
    const shape = call.shapeOf(input);
    if (shape?.length !== rank) {
      throw new KernelInputError(
        `${name}: expected ${input} of rank ${rank} (channels last), got shape [${shape}].`,
      );
    }
    if (rank === 4) {
      const info = backend_util.computePool2DInfo(
        ...([shape as [number, number, number, number], filterSize as number, strides as number] as const),
        ...([1, pad, dimRoundingMode] as const),
      );
      setGeometry(call.kernels, info);
      return run(call, poolOf(info));
    }
    const info = backend_util.computePool3DInfo(
      ...([
        shape as [number, number, number, number, number],
        filterSize as number,
        strides as number,
      ] as const),
      ...([1, pad, dimRoundingMode] as const),
    );
    setVolume(call.kernels, info);
    return run(call, poolOf(info));
  });
}

function poolOf({ inShape, outShape }: backend_util.Conv2DInfo | VolumeInfo): Pool {
  const sizeOf = (shape: readonly number[]) => shape.reduce((total, length) => total * length, 1);
  return { inShape, outShape, inputSize: sizeOf(inShape), outputSize: sizeOf(outShape) };
}
