import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { makeDeviceState, makeHostState } from './make-state.ts';
import { describeStreams } from './streams.test.support.ts';

for (const backend of ['cpu', 'wasm'] as const) {
  describeStreams(`state on the host, ${backend}`, () => tf.setBackend(backend), makeHostState);
  describeStreams(`state on the device, ${backend}`, () => tf.setBackend(backend), makeDeviceState);
}
