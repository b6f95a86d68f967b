import '@rebatch/kernels-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll } from 'vitest';
import { describeOps, describeRandomCalls } from './suite.ts';

beforeAll(() => tf.setBackend('wasm'));

describeOps('wasm', { kernels: true });
describeRandomCalls();
