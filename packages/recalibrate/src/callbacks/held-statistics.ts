/** The running statistics set aside, whatever they are, and put back bit by bit. */
import type { BatchNormLayer } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';

export interface HeldStatistics {
  /** Puts them back; synchronous. Layers that were disposed since are left out. */
  restore(): void;
  /** Lets go of the memory. */
  dispose(): void;
}

/**
 * Unlike `captureStatistics` this keeps the tensors themselves: nothing is read, and NaN, which `applyStatistics`
 * refuses, goes back as it came.
 */
export function holdStatistics(layers: readonly BatchNormLayer[]): HeldStatistics {
  const variables = layers.flatMap(({ movingMean, movingVariance }) => [movingMean, movingVariance]);
  const held: tf.Tensor[] = [];
  try {
    for (const variable of variables) held.push(tf.clone(variable.read()));
  } catch (error) {
    tf.dispose(held);
    throw error;
  }
  return {
    restore() {
      variables.forEach((variable, i) => {
        if (!variable.read().isDisposed) variable.write(held[i]!);
      });
    },
    dispose: () => tf.dispose(held),
  };
}
