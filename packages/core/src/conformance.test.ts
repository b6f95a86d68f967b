import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { describeConformance } from './conformance.ts';

describeConformance('cpu', () => tf.setBackend('cpu'));
describeConformance('wasm, composed', () => tf.setBackend('wasm'));
