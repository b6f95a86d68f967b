import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll } from 'vitest';
import { describeOps } from './suite.ts';

beforeAll(() => tf.setBackend('wasm'));

describeOps('wasm');
