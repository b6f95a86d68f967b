// Clipping. Upstream takes whole numbers for the float32 values of the same bits (labels are whole numbers, and some losses of
// tf.layers clip them), and makes the lower limit of NaN, so that what went wrong before is not seen any more.
import { type BackendKernel, sizeOf } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, checked, kernelsOf, valuesOf, type WasmBackend } from './backend.ts';

interface ClipAttributes {
  readonly clipValueMin: number;
  readonly clipValueMax: number;
}

/** inputs {x: float32 or int32} -> the same within limits, as on the cpu backend: NaN stays. */
export const clip: BackendKernel = {
  kernelName: 'ClipByValue',
  kernelFunc: (call) => {
    const backend = checked(call.backend);
    const x = call.inputs.x as TensorInfo;
    const { clipValueMin: low, clipValueMax: high } = call.attrs as unknown as ClipAttributes;
    return x.dtype === 'int32'
      ? clippedIntegers(backend, x, low, high)
      : clipped(backend, 'ClipByValue', x, low, high);
  },
  leaves: (_, { x }) => x?.dtype !== 'int32' && x?.dtype !== 'float32',
};

/** inputs {x: float32} -> the same from 0 to 6. */
export const relu6: BackendKernel = {
  kernelName: 'Relu6',
  kernelFunc: (call) => clipped(checked(call.backend), 'Relu6', call.inputs.x as TensorInfo, 0, 6),
  leaves: (_, { x }) => x?.dtype !== 'float32',
};

function clipped(
  backend: WasmBackend,
  kernelName: string,
  x: TensorInfo,
  low: number,
  high: number,
): TensorInfo {
  const output = allocate(backend, [...x.shape], kernelName);
  const size = sizeOf(x.shape);
  const [from, to] = [addressOf(backend, x) / 4, addressOf(backend, output)];
  valuesOf(backend).copyWithin(to / 4, from, from + size);
  kernelsOf(backend).clipOver(to, size, low, high);
  return output;
}

/** Limits that are no whole numbers lose what is behind the point. */
function clippedIntegers(backend: WasmBackend, x: TensorInfo, low: number, high: number): TensorInfo {
  const size = sizeOf(x.shape);
  const output = allocate(backend, [...x.shape], 'ClipByValue', 'int32');
  const { buffer } = valuesOf(backend);
  const from = new Int32Array(buffer, addressOf(backend, x), size);
  const to = new Int32Array(buffer, addressOf(backend, output), size);
  for (let i = 0; i < size; i++) to[i] = Math.min(high, Math.max(low, from[i]!));
  return output;
}
