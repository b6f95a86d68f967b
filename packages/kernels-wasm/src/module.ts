// The WebAssembly module in its two builds: their bytes, whether this machine can run them, and how one is instantiated.
import {
  IMPORT_PLAIN,
  IMPORT_SHARED,
  PLAIN_HEAD,
  PLAIN_TAIL,
  RELAXED_HEAD,
  RELAXED_TAIL,
} from './module.generated.ts';

type Kernel = (...addressesAndSizes: number[]) => void;

/** The exports of assembly/index.ts; their arguments are described there. */
export interface KernelModule {
  readonly sortBlocks: Kernel;
  readonly momentsLanes: Kernel;
  readonly momentsRuns: Kernel;
  readonly momentsRows: Kernel;
  readonly normalizeLanes: Kernel;
  readonly normalizeRuns: Kernel;
  readonly clipOver: Kernel;
  readonly normalizeOverLanes: Kernel;
  readonly backwardReduceLanes: Kernel;
  readonly backwardReduceRuns: Kernel;
  readonly backwardReduceRows: Kernel;
  readonly backwardInputLanes: Kernel;
  readonly backwardInputRuns: Kernel;
  readonly setGeometry: Kernel;
  readonly setDepth: Kernel;
  readonly convFilterGradient: Kernel;
  readonly convInputGradient: Kernel;
  readonly convForward: Kernel;
  readonly winogradConvolution: Kernel;
  readonly winogradFilterGradient: Kernel;
  readonly maxPool: Kernel;
  readonly maxPoolGradient: Kernel;
  readonly averagePoolGradient: Kernel;
  readonly resizeGradient: Kernel;
  readonly segmentSum: Kernel;
  readonly depthwiseFilterGradient: Kernel;
  readonly depthwiseInputGradient: Kernel;
}

/** The module's bytes, for a plain or for a shared memory; of the build whose multiply-adds are fused, or of the other. */
export function moduleBytes(shared: boolean, relaxed: boolean): BufferSource & { readonly length: number } {
  const [head, tail] = relaxed ? [RELAXED_HEAD, RELAXED_TAIL] : [PLAIN_HEAD, PLAIN_TAIL];
  const parts = [head, shared ? IMPORT_SHARED : IMPORT_PLAIN, tail].map((part) => atob(part));
  return Uint8Array.from(parts.join(''), (character) => character.charCodeAt(0));
}

/**
 * Whether this machine can run the kernels: they need WebAssembly with SIMD (Chrome 91, Firefox 89, Safari 16.4,
 * Node 16.4). Where it is false, importing this package registers nothing, and the composed ops run.
 */
export function wasmKernelsSupported(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(moduleBytes(false, false));
}

// The least module that uses what the relaxed build adds: (func (param v128) (result v128) local.get 0 local.get 0
// local.get 0 f32x4.relaxed_madd).
const MULTIPLY_ADD = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 6, 1, 0x60, 1, 0x7b, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 13, 1, 11, 0, 0x20, 0, 0x20, 0, 0x20, 0, 0xfd, 0x85, 2, 0x0b],
);

/** Whether it has relaxed SIMD: Chrome 114, Firefox 145, Node 22 or later; Node 20 behind a flag. */
export function relaxedSimdSupported(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(MULTIPLY_ADD);
}

/** An instance that works in this memory. Synchronous: the module is small. */
export function instantiate(memory: WebAssembly.Memory, relaxed: boolean): KernelModule {
  const shared = typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(moduleBytes(shared, relaxed));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelModule;
}
