// import '@rebatch/domains/register': from then on, tf.loadLayersModel and tf.models.modelFromJSON know the layers of this
// package. An import of its own, because it changes what others' code does.
import * as tf from '@tensorflow/tfjs-core';
import { DomainMark } from './layer/application.ts';
import { DomainBatchNormalization } from './layer/domain-batch-normalization.ts';

tf.serialization.registerClass(DomainBatchNormalization);
tf.serialization.registerClass(DomainMark);
