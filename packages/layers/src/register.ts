// import '@rebatch/layers/register': from then on, tf.loadLayersModel and tf.models.modelFromJSON build our layer
// wherever a topology says BatchNormalization. An import of its own, because it changes what others' code does.
import * as tf from '@tensorflow/tfjs-core';
import { BatchNormalization } from './batch-normalization.ts';
import { registerPlainNames, registerSynchronizedNames } from './keras-names.ts';

tf.serialization.registerClass(BatchNormalization);
registerPlainNames();
registerSynchronizedNames();
