// The suites of the kernels once more, with the build that the other files have not: that with fused multiply-adds in Node
// 20, where relaxed SIMD is behind a flag, and the plain one from Node 22 on.
import { describeConformance, selectBackend } from '@rebatch/conformance';
import { describe } from 'vitest';
import { configureWasmKernels } from './index.ts';
import { kernelNames } from './register.ts';
import { RELAXED_BY_DEFAULT } from './relaxed-simd.test.support.ts';

configureWasmKernels({ relaxedSimd: !RELAXED_BY_DEFAULT });

describeConformance('wasm, with kernels', () => selectBackend('wasm'), { kernels: kernelNames });
// Each in a scope of its own: what a file sets before its tests is not for the others'.
describe('exactness', () => import('./batch-norm/exactness.test.ts').then(() => {}));
describe('conv2d', () => import('./conv2d.test.ts').then(() => {}));
describe('direct forward', () => import('./direct-forward.test.ts').then(() => {}));
describe('winograd', () => import('./winograd.test.ts').then(() => {}));
describe('training', () => import('./training.test.ts').then(() => {}));
