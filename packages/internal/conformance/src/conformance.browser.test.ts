import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import './wasm-binaries.ts';
import { describeConformance, selectBackend } from './index.ts';

for (const backend of ['cpu', 'wasm', 'webgl', 'webgpu']) {
  const options = { fewer: backend.startsWith('web'), features: '../features' };
  describeConformance(backend, () => selectBackend(backend), options);
}
