// import '@rebatch/leakage/register': from then on, tf.loadLayersModel and tf.models.modelFromJSON know the layers of this
// package. An import of its own, because it changes what others' code does.
import * as tf from '@tensorflow/tfjs-core';
import { GhostBatchNormalization } from './ghost/ghost-batch-normalization.ts';
import { Shuffled } from './shuffle/shuffled.ts';
import { SyncBatchNormalization } from './sync/sync-batch-normalization.ts';

tf.serialization.registerClass(GhostBatchNormalization);
tf.serialization.registerClass(Shuffled);
tf.serialization.registerClass(SyncBatchNormalization);
