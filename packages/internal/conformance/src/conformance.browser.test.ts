import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import { env } from '@tensorflow/tfjs-core';
import './wasm-binaries.ts';
import { describeConformance, selectBackend } from './index.ts';

// WebGL and WebGPU are emulated where these tests run, and the others are put through the whole suite in Node. cpu is the
// same JavaScript there.
for (const backend of ['wasm', 'webgl', 'webgpu']) {
  const prepare = async () => {
    // By default WebGL compiles each program anew for each shape, which is most of the time here. Upstream's suite, adapting
    // and converted models are tested with the default.
    env().set('WEBGL_USE_SHAPES_UNIFORMS', true);
    await selectBackend(backend);
  };
  describeConformance(backend, prepare, { fewer: true, features: '../features' });
}
