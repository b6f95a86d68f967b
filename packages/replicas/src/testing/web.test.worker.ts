// A replica in a Web Worker.
import '@tensorflow/tfjs-backend-cpu';
import '@rebatch/leakage/register';
import * as tf from '@tensorflow/tfjs-core';
import { serveReplica } from '../index.ts';

// Messages that arrive meanwhile are lost, and asked for again.
await tf.setBackend('cpu');
serveReplica(self);
