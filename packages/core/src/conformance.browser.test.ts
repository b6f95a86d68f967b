import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import './wasm-binaries.test.support.ts';
import { describeConformance, selectBackend } from './conformance/index.ts';

for (const backend of ['cpu', 'wasm', 'webgl', 'webgpu']) {
  describeConformance(backend, () => selectBackend(backend), { fewer: backend.startsWith('web') });
}
