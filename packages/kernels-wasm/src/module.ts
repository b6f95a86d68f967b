// The WebAssembly module: its bytes, whether this machine can run it, and one instance per backend, made on first use
// because only then is the backend's memory there.
import { HEAD, IMPORT_PLAIN, IMPORT_SHARED, TAIL } from './module.generated.ts';

type Kernel = (...addressesAndSizes: number[]) => void;

/** The exports of assembly/index.ts; their arguments are described there. */
export interface KernelModule {
  readonly momentsLanes: Kernel;
  readonly momentsRuns: Kernel;
  readonly normalizeLanes: Kernel;
  readonly normalizeRuns: Kernel;
  readonly backwardReduceLanes: Kernel;
  readonly backwardReduceRuns: Kernel;
  readonly backwardInputLanes: Kernel;
  readonly backwardInputRuns: Kernel;
  readonly setGeometry: Kernel;
  readonly convFilterGradient: Kernel;
  readonly convInputGradient: Kernel;
  readonly maxPoolGradient: Kernel;
  readonly depthwiseFilterGradient: Kernel;
  readonly depthwiseInputGradient: Kernel;
}

/** The module's bytes, for a plain or for a shared memory. */
export function moduleBytes(shared: boolean): Uint8Array<ArrayBuffer> {
  const parts = [HEAD, shared ? IMPORT_SHARED : IMPORT_PLAIN, TAIL].map((part) => atob(part));
  return Uint8Array.from(parts.join(''), (character) => character.charCodeAt(0));
}

/**
 * Whether this machine can run the kernels: they need WebAssembly with SIMD (Chrome 91, Firefox 89, Safari 16.4,
 * Node 16.4). Where it is false, importing this package registers nothing, and the composed ops run.
 */
export function wasmKernelsSupported(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(moduleBytes(false));
}

/** An instance that works in this memory. Synchronous: the module is small. */
export function instantiate(memory: WebAssembly.Memory): KernelModule {
  const shared = typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(moduleBytes(shared));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelModule;
}
