// The backends that the benches run on, and what upstream had on them before our kernels took its place.

import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** The kernel of that name that upstream registered for the WASM backend, from before ours was imported. */
export function upstreamKernel(name: string): tf.KernelConfig {
  const kernel = upstream.get(name);
  if (!kernel) throw new Error(`TensorFlow.js registers no kernel '${name}' for the WASM backend`);
  return kernel;
}

await tf.setBackend('wasm');
await tf.ready();
const upstream = new Map(tf.getKernelsForBackend('wasm').map((kernel) => [kernel.kernelName, kernel]));
await import('@rebatch/kernels-wasm');

/** The kernels of the cpu backend: upstream's alone, which is what peers run on, or with ours in their place. */
const cpuKernels = { upstream: tf.getKernelsForBackend('cpu'), ours: [] as tf.KernelConfig[] };
await import('@rebatch/kernels-cpu');
cpuKernels.ours = tf.getKernelsForBackend('cpu');
useCpuKernels('upstream');

function useCpuKernels(whose: 'ours' | 'upstream'): void {
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) tf.unregisterKernel(kernelName, 'cpu');
  for (const kernel of cpuKernels[whose]) tf.registerKernel(kernel);
}

/** Makes a backend the current one, on cpu with our kernels or (by default) with upstream's. */
export async function useBackend(
  name: 'wasm' | 'cpu',
  kernels: 'ours' | 'upstream' = 'upstream',
): Promise<void> {
  if (name === 'cpu') useCpuKernels(kernels);
  if (tf.getBackend() === name) return;
  if (!(await tf.setBackend(name))) throw new Error(`the ${name} backend does not start`);
}

/** Normally distributed values, the same on each call. */
export function randomTensor(shape: readonly number[], seed: number, mean = 0, deviation = 1): tf.Tensor {
  return tf.randomNormal([...shape], mean, deviation, 'float32', seed);
}

export const formatShape = (shape: readonly number[]) => shape.join('x');

/** Bytes that the WASM backend's memory has grown to; it never shrinks. */
export function wasmHeapBytes(): number {
  const backend = tf.findBackend('wasm') as unknown as { wasm: { HEAPU8: Uint8Array } };
  return backend.wasm.HEAPU8.buffer.byteLength;
}
