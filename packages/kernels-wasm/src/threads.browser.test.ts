// Upstream's threaded build, which starts in cross-origin isolated pages only: its memory is shared, and the kernels
// must find it and work in it.
import { describeConformance, selectBackend } from '@rebatch/conformance';
import { KERNELS } from '@rebatch/core/kernels';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import './index.ts';
import { kernelNames } from './register.ts';
import '@rebatch/conformance/wasm-binaries';

const prepare = async () => {
  setThreadsCount(2);
  await selectBackend('wasm');
};

describeConformance('wasm, threaded, with kernels', prepare, { kernels: kernelNames });

test('the backend is the threaded one, and the kernels are in use', () => {
  expect(crossOriginIsolated).toBe(true);
  const { wasm } = tf.backend() as unknown as {
    wasm: { wasmMemory?: WebAssembly.Memory; asm?: { memory?: WebAssembly.Memory } };
  };
  const memory = wasm.asm?.memory ?? wasm.wasmMemory;
  expect(memory!.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(tf.getKernel(KERNELS.moments, 'wasm')).toBeDefined();
});
