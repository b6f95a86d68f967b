// A model's statistics set aside, whatever they are, and put back bit by bit.
import * as tf from '@tensorflow/tfjs-core';
import type { NormalizedModel } from '../normalized-model.ts';

export interface HeldStatistics {
  /** Puts them back; synchronous. Sites that were disposed since are left out. */
  restore(): void;
  /** Lets go of the memory. */
  dispose(): void;
}

/** Unlike `captureStatistics` this keeps the tensors themselves: nothing is read. */
export function holdStatistics(model: NormalizedModel): HeldStatistics {
  const held: tf.Tensor[] = [];
  try {
    for (const { mean, variance } of model.stored()) {
      for (const tensor of [mean, variance]) held.push(tf.clone(tensor));
    }
  } catch (error) {
    tf.dispose(held);
    throw error;
  }
  return {
    restore() {
      const values = model
        .stored()
        .map((present, i) =>
          present.mean.isDisposed || present.variance.isDisposed
            ? undefined
            : { mean: held[2 * i]!, variance: held[2 * i + 1]! },
        );
      model.store(values, { undoable: false });
    },
    dispose: () => tf.dispose(held),
  };
}
