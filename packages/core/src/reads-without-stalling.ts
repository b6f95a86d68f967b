import { getBackend } from '@tensorflow/tfjs-core';

// Their tensors are in the memory of this process ('tensorflow' is the backend of tfjs-node).
const HOST_BACKENDS: readonly string[] = ['cpu', 'wasm', 'tensorflow'];

/**
 * Whether a tensor of this backend can be read at once (`dataSync`). On any other, reading would stop this thread until
 * the device has computed everything before it, or, as on webgpu, fail.
 */
export function readsWithoutStalling(backend: string = getBackend()): boolean {
  return HOST_BACKENDS.includes(backend);
}
