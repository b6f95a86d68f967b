// Chooses what to compute on: WebGPU where there is an adapter in hardware, else WASM with SIMD kernels.

import '@rebatch/kernels-wasm';
import { wasmKernelsSupported } from '@rebatch/kernels-wasm';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import * as tf from '@tensorflow/tfjs-core';
import { findAdapter, type Graphics } from './adapter.ts';
import type { Device, DevicePreference } from './task.ts';

/** No device is left to compute on. */
export class NoDeviceError extends Error {
  override readonly name = 'NoDeviceError';
}

/**
 * Sets the backend.
 *
 * @param onLost called when the graphics device is gone: nothing can be computed on it any more.
 * @throws {NoDeviceError} (rejects) if not even WASM starts.
 */
export async function openDevice(
  preference: DevicePreference,
  onLost: (reason: string) => void,
): Promise<Device> {
  let fallback: string | undefined;
  if (preference !== 'wasm') {
    const found = await openWebGPU(preference, onLost);
    if (typeof found !== 'string') return found;
    fallback = found;
  }
  const wasm = await openWasm();
  return fallback === undefined ? wasm : { ...wasm, fallback };
}

/** The device, or why there is none. */
async function openWebGPU(
  preference: Exclude<DevicePreference, 'wasm'>,
  onLost: (reason: string) => void,
): Promise<Device | string> {
  try {
    const found = await findAdapter((navigator as { gpu?: Graphics }).gpu, preference);
    if (typeof found === 'string') return found;
    await Promise.all([import('@tensorflow/tfjs-backend-webgpu'), import('@rebatch/kernels-webgpu')]);
    if (!(await tf.setBackend('webgpu'))) return 'WebGPU did not start';
    await tf.ready();
    const { device } = tf.backend() as unknown as { device?: GPUDevice };
    device?.lost.then(({ message, reason }) => onLost(message || reason || 'no reason given'));
    const description = ['WebGPU', found.name].filter(Boolean).join(' ');
    return {
      backend: 'webgpu',
      description: found.software ? `${description}, emulated in software` : description,
    };
  } catch (error) {
    return `WebGPU did not start (${error instanceof Error ? error.message : error})`;
  }
}

async function openWasm(): Promise<Device> {
  // Without the threaded build: it makes workers from text, which the page's policy forbids, and most of a step is spent
  // in kernels of ours that run on the calling thread.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plainUrl,
    'tfjs-backend-wasm-simd.wasm': simdUrl,
    // Asked for, and never loaded.
    'tfjs-backend-wasm-threaded-simd.wasm': simdUrl,
  });
  try {
    if (!(await tf.setBackend('wasm'))) throw new Error('the backend did not start');
    await tf.ready();
  } catch (cause) {
    throw new NoDeviceError('Neither WebGPU nor WebAssembly starts in this browser.', { cause });
  }
  if (!wasmKernelsSupported()) {
    throw new NoDeviceError(
      'This browser has WebAssembly without SIMD, which training needs. Update the browser.',
    );
  }
  return { backend: 'wasm', description: 'WASM, SIMD kernels' };
}
