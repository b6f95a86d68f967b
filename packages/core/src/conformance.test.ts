import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { describeConformance, selectBackend } from './conformance/index.ts';

describeConformance('cpu', () => selectBackend('cpu'));
describeConformance('wasm', () => selectBackend('wasm'));
