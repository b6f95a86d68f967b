// A clone without a copy. Upstream's copies every value, and automatic differentiation clones each tensor that it saves
// and each input of a custom gradient: about a quarter of the time of a whole batch-norm step.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { kernelsOf, type WasmBackend } from './backend.ts';
import type { WasmKernel } from './kernel.ts';

/** inputs {x} -> the same values in the same memory, counted once more, as the backend's own Reshape does it. */
export const identity: WasmKernel = {
  kernelName: 'Identity',
  kernelFunc: (call) => {
    const backend = call.backend as WasmBackend;
    const { dataId, shape, dtype } = call.inputs.x as TensorInfo;
    // For its check of the backend.
    kernelsOf(backend);
    backend.incRef(dataId);
    return { dataId, shape, dtype };
  },
};
