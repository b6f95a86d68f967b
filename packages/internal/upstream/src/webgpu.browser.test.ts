import '@tensorflow/tfjs-backend-webgpu';
import { needsBackend, selectBackend } from '@rebatch/conformance';
import { describeOps } from './suite.ts';

needsBackend('webgpu', () => selectBackend('webgpu'));

describeOps('webgpu', { every: 6 });
