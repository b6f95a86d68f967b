// Core's own suite, now on these kernels instead of composed ops.
import { describeConformance, selectBackend } from '@rebatch/core/conformance';
import './index.ts';
import { kernelNames } from './register.ts';

describeConformance('wasm, with kernels', () => selectBackend('wasm'), { kernels: kernelNames });
