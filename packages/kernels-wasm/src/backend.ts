// The one place that knows the internals of the WASM backend: where its memory is, where tensors lie in it, and how to
// borrow some of it. None of this is documented upstream, so each thing is checked before it is used.
import { UnsupportedBackendError } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { OutOfMemoryError } from './errors.ts';
import { instantiate, type KernelModule } from './module.ts';
import { wasmKernelSettings } from './settings.ts';

/** The part of BackendWasm that the kernels use. */
export interface WasmBackend {
  readonly wasm: {
    /** Exports of the plain builds; their memory is among them. */
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    /** The threaded build makes its memory itself, and keeps it here. */
    readonly wasmMemory?: WebAssembly.Memory;
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number | null } };
  makeOutput(shape: number[], dtype: 'float32' | 'int32' | 'bool'): TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
  /** Tensors that share memory count their references; disposeData frees it with the last one. */
  incRef(dataId: object): void;
}

/** The instances in a backend's memory, by whether they fuse multiply-adds: made on first use, when that memory is there. */
const modules = new WeakMap<object, Map<boolean, KernelModule>>();
const ADDRESSABLE = 2 ** 32;

/**
 * The same backend, checked.
 *
 * @throws {UnsupportedBackendError} if it is not built as the kernels expect.
 */
export function checked(backend: unknown): WasmBackend {
  kernelsOf(backend as WasmBackend);
  return backend as WasmBackend;
}

/**
 * The kernels in this backend's memory.
 *
 * @throws {UnsupportedBackendError} if the backend is not built as the kernels expect.
 */
export function kernelsOf(backend: WasmBackend): KernelModule {
  const { relaxedSimd } = wasmKernelSettings();
  const ofBackend = modules.get(backend) ?? new Map<boolean, KernelModule>();
  let kernels = ofBackend.get(relaxedSimd);
  if (kernels === undefined) {
    kernels = instantiate(memoryOf(backend), relaxedSimd);
    modules.set(backend, ofBackend.set(relaxedSimd, kernels));
  }
  return kernels;
}

function memoryOf(backend: Partial<WasmBackend>): WebAssembly.Memory {
  const { wasm, dataIdMap } = backend;
  const memory = wasm?.asm?.memory ?? wasm?.wasmMemory;
  if (!(memory instanceof WebAssembly.Memory)) throw moved('wasm.asm.memory or wasm.wasmMemory');
  if (typeof wasm?._malloc !== 'function' || typeof wasm._free !== 'function')
    throw moved('wasm._malloc and _free');
  if (typeof dataIdMap?.get !== 'function') throw moved('dataIdMap');
  for (const method of ['makeOutput', 'disposeData', 'incRef'] as const) {
    if (typeof backend[method] !== 'function') throw moved(method);
  }
  return memory;
}

function moved(what: string): UnsupportedBackendError {
  return new UnsupportedBackendError(
    `@rebatch/kernels-wasm: expected a WASM backend with ${what}, which this one lacks. The kernels work with ` +
      '@tensorflow/tfjs-backend-wasm 4.22; install that version, or drop the import of @rebatch/kernels-wasm.',
  );
}

/** The memory of a checked backend as float32 values. A view is good until the next allocation, which may move it. */
export function valuesOf({ wasm }: WasmBackend): Float32Array {
  return new Float32Array((wasm.asm?.memory ?? wasm.wasmMemory!).buffer);
}

/** Where a tensor lies, in bytes; 0 for none. */
export function addressOf(backend: WasmBackend, tensor: TensorInfo | undefined): number {
  if (tensor === undefined) return 0;
  const address = backend.dataIdMap.get(tensor.dataId)?.memoryOffset;
  if (typeof address !== 'number') throw moved('dataIdMap.get(id).memoryOffset');
  // Beyond 2 GiB it may come as a negative number.
  return address >>> 0;
}

/**
 * A new tensor, its values undefined. It keeps the shape.
 *
 * @throws {OutOfMemoryError} if the heap cannot grow that far.
 */
export function allocate(
  backend: WasmBackend,
  shape: number[],
  kernel: string,
  dtype: 'float32' | 'int32' | 'bool' = 'float32',
): TensorInfo {
  const bytes = shape.reduce((total, size) => total * size, dtype === 'bool' ? 1 : 4);
  if (bytes >= ADDRESSABLE) throw outOfMemory(kernel, bytes);
  const output = backend.makeOutput(shape, dtype);
  if (addressOf(backend, output) === 0) {
    backend.disposeData(output.dataId, true);
    throw outOfMemory(kernel, bytes);
  }
  return output;
}

/**
 * Lends `use` this many bytes, aligned to 8, and takes them back whatever happens.
 *
 * @throws {OutOfMemoryError} if the heap cannot grow that far.
 */
export function withScratch<T>(
  { wasm }: WasmBackend,
  bytes: number,
  kernel: string,
  use: (address: number) => T,
): T {
  if (bytes === 0) return use(0);
  // malloc takes 32 bits: a larger size would wrap around to a small one.
  const address = bytes < ADDRESSABLE ? wasm._malloc(bytes) >>> 0 : 0;
  if (address === 0) throw outOfMemory(kernel, bytes);
  try {
    return use(address);
  } finally {
    wasm._free(address);
  }
}

function outOfMemory(kernel: string, bytes: number): OutOfMemoryError {
  return new OutOfMemoryError(
    `${kernel}: expected ${bytes} free bytes on the WASM heap (4 GiB at most), but it cannot grow that far. Use a ` +
      'smaller batch, or dispose tensors that are no longer needed (tf.memory() counts them).',
  );
}
