// Configurations of batch normalization as Keras writes them. tf.layers passes over what it does not know; here it means
// what it means there, or is refused by name.
import { InvalidInputError } from '@rebatch/core';
import { checkValue } from '@rebatch/stats/~internal';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchSize } from './settings.ts';

type Config = tf.serialization.ConfigDict;

/**
 * A configuration as Keras or one of our layers has saved it, as a configuration of our layer.
 *
 * `virtual_batch_size` splits a batch by `reshape(x, [virtual_batch_size, -1, ...])`, so that the samples of one
 * normalization batch lie apart in it (`_batch_normalization.py` of TensorFlow's Keras).
 *
 * @returns also whether it is one of a layer that is synchronized over replicas.
 * @throws {InvalidInputError} for batch renormalization, and an adjustment by the batch.
 */
export function fromKeras(config: Config): { readonly config: Config; readonly synchronized: boolean } {
  const {
    renorm,
    renormClipping,
    renormMomentum,
    adjustment,
    virtualBatchSize,
    synchronized,
    // How it is computed, not what.
    fused,
    ...ours
  } = config;
  const who = `Layer '${ours.name}'`;
  if (renorm) {
    throw new InvalidInputError(
      `${who}: its configuration says renorm: true, and batch renormalization is not among what our layer does. Build ` +
        'the model without it in Keras, and give it gamma, beta, moving_mean and moving_variance of the old one: ' +
        'it infers the same.',
    );
  }
  if (adjustment != null) {
    throw new InvalidInputError(
      `${who}: its configuration has an adjustment, a function of Keras that cannot be run here. Build the model ` +
        'without it.',
    );
  }
  if (virtualBatchSize == null) return { config: ours, synchronized: synchronized === true };
  checkValue(who, 'virtual_batch_size', virtualBatchSize, batchSize, InvalidInputError);
  const split = { normalizationBatchSize: virtualBatchSize, normalizationBatchOrder: 'strided' };
  return { config: { ...ours, ...split }, synchronized: synchronized === true };
}

type MakeLayer = (config: Config) => tfl.layers.Layer;

let makeSynchronized: MakeLayer | undefined;

/** Says how a layer that is synchronized over replicas is made of its configuration: `@rebatch/leakage/register` does. */
export function provideSynchronized(make: MakeLayer): void {
  makeSynchronized = make;
}

/**
 * A layer that is synchronized over replicas.
 *
 * @throws {InvalidInputError} where nothing that was imported knows them.
 */
export function synchronizedLayer(config: Config): tfl.layers.Layer {
  if (makeSynchronized !== undefined) return makeSynchronized(config);
  throw new InvalidInputError(
    `Layer '${config.name}': its batch normalization is synchronized over replicas, and nothing that was imported does ` +
      "that. Install @rebatch/leakage, and import '@rebatch/leakage/register' before the model is loaded; or, to run it " +
      'on one replica, make it a BatchNormalization with synchronized: false in the topology, which is the same there.',
  );
}
