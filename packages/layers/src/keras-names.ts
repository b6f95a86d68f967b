// The names under which Keras has saved batch normalization in its time.
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { BatchNormalization } from './batch-normalization.ts';
import { synchronizedLayer } from './keras-config.ts';

/** Of plain layers. */
const PLAIN = ['BatchNormalizationV1', 'BatchNormalizationV2'];

/** Of layers that are synchronized over replicas. The second is what tf.layers reads of 'sync_batch_normalization'. */
const SYNCHRONIZED = [
  'SyncBatchNormalization',
  'syncBatchNormalization',
  'SynchronizedBatchNormalization',
  'experimental>SyncBatchNormalization',
  'experimental.SyncBatchNormalization',
  'keras.layers.experimental.SyncBatchNormalization',
  'tf.keras.layers.experimental.SyncBatchNormalization',
];

/** From now on, models are loaded that call a plain layer by another name. They are saved by its own. */
export function registerPlainNames(): void {
  for (const name of PLAIN) {
    registerName(
      name,
      (config) => BatchNormalization.fromConfig(BatchNormalization, config) as tfl.layers.Layer,
    );
  }
}

/** From now on, models are loaded that have synchronized layers, by whatever name; or what is missing is named. */
export function registerSynchronizedNames(): void {
  for (const name of SYNCHRONIZED) registerName(name, synchronizedLayer);
}

function registerName(name: string, make: (config: tf.serialization.ConfigDict) => tfl.layers.Layer): void {
  class Named extends BatchNormalization {
    static override readonly className: string = name;

    static override fromConfig<T extends tf.serialization.Serializable>(
      _: tf.serialization.SerializableConstructor<T>,
      config: tf.serialization.ConfigDict,
    ): T {
      return make(config) as unknown as T;
    }
  }
  tf.serialization.registerClass(Named);
}
