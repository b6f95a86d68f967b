// Upstream's build without threads, in a page that could have them.
import { describeConformance, selectBackend } from '@rebatch/conformance';
import { env } from '@tensorflow/tfjs-core';
import './index.ts';
import { kernelNames } from './register.ts';
import '@rebatch/conformance/wasm-binaries';

const prepare = async () => {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await selectBackend('wasm');
};

describeConformance('wasm, with kernels', prepare, { kernels: kernelNames });
