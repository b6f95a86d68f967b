// import '@rebatch/leakage/register': from then on, tf.loadLayersModel and tf.models.modelFromJSON know the layers of this
// package. An import of its own, because it changes what others' code does.
import { provideSynchronized, registerSynchronizedNames } from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { GhostBatchNormalization } from './ghost/ghost-batch-normalization.ts';
import { Shuffled } from './shuffle/shuffled.ts';
import { SyncBatchNormalization } from './sync/sync-batch-normalization.ts';

tf.serialization.registerClass(GhostBatchNormalization);
tf.serialization.registerClass(Shuffled);
provideSynchronized(
  (config) => SyncBatchNormalization.fromConfig(SyncBatchNormalization, config) as SyncBatchNormalization,
);
registerSynchronizedNames();
// The name under which it is saved, by Keras and by us.
tf.serialization.registerClass(SyncBatchNormalization);
