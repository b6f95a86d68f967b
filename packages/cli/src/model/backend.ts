import { ModelUseError } from '../errors.ts';

/** Where models run: on SIMD kernels of WebAssembly, or, for graphs with ops that it lacks, on plain JavaScript. */
export const BACKENDS = ['wasm', 'cpu'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Starts a backend with our kernels. Nothing of it is loaded before. @throws {ModelUseError} if it does not start. */
export async function startBackend(backend: Backend): Promise<void> {
  const tf = await import('@tensorflow/tfjs-core');
  // Without its word of greeting on every start.
  tf.enableProdMode();
  if (backend === 'wasm') await import('@rebatch/kernels-wasm');
  else await import('@rebatch/kernels-cpu');
  const started = await tf.setBackend(backend).catch((error: unknown) => error);
  if (started !== true)
    throw new ModelUseError(`The backend '${backend}' does not start here. Try --backend cpu.`);
  await tf.ready();
}
