// What upstream says where its own .wasm file cannot be loaded is a warning with half a stack trace; then another backend
// is taken in silence. No bundler copies that file by itself, so most who begin with a bundler meet it.
import { engine } from '@tensorflow/tfjs-core';
import { WasmBinaryError } from './errors.ts';

type Factory = () => unknown;

const explained = new WeakSet<Factory>();

/**
 * From now on, a WASM backend that cannot start says which file it wants and how to serve it. TensorFlow.js prints that,
 * and `tf.setBackend('wasm')` resolves to false.
 */
export function explainMissingBinary(): void {
  const entry = (engine().registryFactory as Partial<Record<string, { factory: Factory }>>).wasm;
  if (entry === undefined || explained.has(entry.factory)) return;
  const { factory } = entry;
  const explaining = async () => {
    try {
      return await factory();
    } catch (error) {
      throw explanation(error);
    }
  };
  explained.add(explaining);
  entry.factory = explaining;
}

function explanation(cause: unknown): WasmBinaryError {
  const { message } = (cause ?? {}) as { readonly message?: unknown };
  const reason = typeof message === 'string' ? message : String(cause);
  return new WasmBinaryError(
    '@rebatch/kernels-wasm: expected the WASM backend of TensorFlow.js to start, but its own file could not be loaded ' +
      '(tfjs-backend-wasm.wasm, tfjs-backend-wasm-simd.wasm or tfjs-backend-wasm-threaded-simd.wasm, which lie in dist/ of ' +
      '@tensorflow/tfjs-backend-wasm). No bundler copies them by itself: serve them, and say where they are with ' +
      "setWasmPaths of @tensorflow/tfjs-backend-wasm before tf.setBackend('wasm'). The README of @rebatch/kernels-wasm has " +
      `the lines for Vite and for webpack. What upstream said: ${reason}`,
    { cause },
  );
}
