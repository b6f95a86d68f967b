// Relaxed SIMD where it is behind a flag, which is Node 20: to be imported before any module is made.
import { setFlagsFromString } from 'node:v8';

/** Whether this Node has it without the flag. */
export const RELAXED_BY_DEFAULT = Number(process.versions.node.split('.')[0]) >= 22;

if (!RELAXED_BY_DEFAULT) setFlagsFromString('--experimental-wasm-relaxed-simd');
