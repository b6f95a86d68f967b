// The suite of core's ops, on these kernels instead of composed ones.
import { describeConformance, selectBackend } from '@rebatch/conformance';
import './index.ts';
import { kernelNames } from './register.ts';

describeConformance('wasm, with kernels', () => selectBackend('wasm'), { kernels: kernelNames });
