import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { describeConformance, selectBackend } from './index.ts';

describeConformance('cpu', () => selectBackend('cpu'), { features: '../features' });
describeConformance('wasm', () => selectBackend('wasm'), { features: '../features' });
