import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { makeState } from './make-state.ts';
import { describeStreams } from './streams.test.support.ts';

/** setBackend answers false instead of failing where a browser lacks the backend. */
async function select(backend: string): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`this browser has no ${backend}`);
}

// The state that a user gets there.
describeStreams('webgl', () => select('webgl'), makeState);
describeStreams('webgpu', () => select('webgpu'), makeState);
