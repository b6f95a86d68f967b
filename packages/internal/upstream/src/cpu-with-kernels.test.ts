import '@rebatch/kernels-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll } from 'vitest';
import { describeOps, describeRandomCalls } from './suite.ts';

beforeAll(() => tf.setBackend('cpu'));

describeOps('cpu', { kernels: true });
describeRandomCalls();
