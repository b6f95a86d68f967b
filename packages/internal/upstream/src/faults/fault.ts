// What a fault is, and which calls it is about.
import type { OpCase } from '../op-case.ts';

export type Backend = 'cpu' | 'wasm' | 'webgl' | 'webgpu';

export interface Fault {
  readonly ops: readonly string[];
  /** 'value', 'gradient' for that of any input, or 'gradient of' one. */
  readonly part: string;
  /** Only calls that this finds in their description; of these it may be all or some. */
  readonly where?: RegExp;
  /** 'fatal' is what never ends, or damages other tensors: it is not even tried. */
  readonly symptom: 'wrong' | 'throws' | 'fatal';
  readonly on: readonly Backend[];
  /** Where our kernels are right. */
  readonly mended: readonly Backend[];
  readonly because: string;
}

export const EVERYWHERE: readonly Backend[] = ['cpu', 'wasm', 'webgl', 'webgpu'];
export const WITH_KERNELS: readonly Backend[] = ['cpu', 'wasm'];

/** Whether a fault is about that part of that call. */
export function concerns({ ops, part, where }: Fault, { op, how }: OpCase, which: string): boolean {
  const parts = part === 'any' || which === part || (part === 'gradient' && which.startsWith('gradient'));
  return ops.includes(op) && parts && (where?.test(how) ?? true);
}
