// A clone without a copy. Upstream's copies every value, and automatic differentiation clones each tensor that it saves
// and each input of a custom gradient: about a quarter of the time of a whole batch-norm step.
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmBackend } from './backend.ts';

/** inputs {x} -> the same values in the same memory, counted once more, as the backend's own Reshape does it. */
export const identity: KernelConfig = {
  kernelName: 'Identity',
  backendName: 'wasm',
  kernelFunc: ({ inputs, backend }) => {
    const { dataId, shape, dtype } = inputs.x as TensorInfo;
    (backend as WasmBackend).incRef(dataId);
    return { dataId, shape, dtype };
  },
};
