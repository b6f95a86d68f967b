// A worker in a process of its own, to be killed.
import * as tf from '@tensorflow/tfjs-core';
import { serveShards } from '../serve.ts';
import { openSubject } from './subject.ts';

await tf.setBackend('cpu');
const serving = serveShards({ url: process.argv[2]! }, openSubject, { lease: 300, losses: 100 });
await serving.ready;
process.send!('ready');
