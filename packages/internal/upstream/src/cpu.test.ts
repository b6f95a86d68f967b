import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll } from 'vitest';
import { describeOps } from './suite.ts';

beforeAll(() => tf.setBackend('cpu'));

describeOps('cpu');
