import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { describeConformance } from './conformance/index.ts';

/** setBackend answers false instead of failing where a browser lacks the backend. */
async function select(backend: string): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`this browser has no ${backend}`);
}

describeConformance('webgl', () => select('webgl'));
describeConformance('webgpu', () => select('webgpu'));
