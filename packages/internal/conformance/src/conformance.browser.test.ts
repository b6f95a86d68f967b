import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import './wasm-binaries.ts';
import { describeConformance, selectBackend } from './index.ts';

for (const backend of ['cpu', 'wasm', 'webgl', 'webgpu']) {
  // WebGL and WebGPU are emulated where these tests run, and the others are put through the whole suite in Node.
  const options = { fewer: true, features: '../features' };
  describeConformance(backend, () => selectBackend(backend), options);
}
