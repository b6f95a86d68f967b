// Upstream's threaded build, which starts in cross-origin isolated pages only: its memory is shared, and the kernels
// must find it and work in it.
import { describeConformance } from '@rebatch/core/conformance';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threadedUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import './index.ts';

describeConformance('threaded wasm, with kernels', async () => {
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plainUrl,
    'tfjs-backend-wasm-simd.wasm': simdUrl,
    'tfjs-backend-wasm-threaded-simd.wasm': threadedUrl,
  });
  setThreadsCount(2);
  if (!(await tf.setBackend('wasm'))) throw new Error('this browser has no wasm');
});

test('the backend is the threaded one, and the kernels are in use', () => {
  expect(crossOriginIsolated).toBe(true);
  const { wasm } = tf.backend() as unknown as {
    wasm: { wasmMemory?: WebAssembly.Memory; asm?: { memory?: WebAssembly.Memory } };
  };
  const memory = wasm.asm?.memory ?? wasm.wasmMemory;
  expect(memory!.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(tf.getKernel('RebatchMoments', 'wasm')).toBeDefined();
});
