// Contrastive training as in SimCLR (Chen et al. 2020): one encoder for both views of an image learns to encode them more
// like each other than like any other image of the batch.

import { setImmediate } from 'node:timers/promises';
import type { LabeledImages } from '@rebatch/images';
import { iidBatches } from '@rebatch/leakage';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import type { SeedContext } from '../../experiment.ts';
import { type PairLayout, pairTensor, similarities } from './pairs.ts';

export interface ContrastiveOptions extends PairLayout {
  readonly seed: number;
  /** Images per batch; each has two views in it. */
  readonly pairs: number;
  readonly steps: number;
  /** Of Adam. */
  readonly learningRate: number;
  readonly temperature: number;
}

/** Trains an encoder on iid images. */
export async function trainEncoder(
  encoder: tfl.LayersModel,
  images: LabeledImages,
  options: ContrastiveOptions,
  { signal, advance }: SeedContext,
  what: string,
): Promise<void> {
  const { seed, pairs, steps, learningRate, temperature, groups } = options;
  const batches = iidBatches({ samples: images.size, batchSize: pairs, seed });
  const random = seedrandom(`views ${seed}`);
  const optimizer = tf.train.adam(learningRate);
  try {
    for (let step = 0; step < steps; step++) {
      // Lets an interruption arrive: a step itself never waits.
      await setImmediate();
      signal.throwIfAborted();
      tf.tidy(() => {
        const views = pairTensor(images, batches.next().value, options, random);
        const encode = () => encoder.apply(views, { training: true }) as tf.Tensor;
        optimizer.minimize(() => contrastiveLoss(similarities(encode(), groups), temperature));
      });
      advance(what);
    }
  } finally {
    optimizer.dispose();
  }
}

/** InfoNCE (van den Oord et al. 2018), from first to second views and back; row and column i belong together. */
export function contrastiveLoss(similar: tf.Tensor2D, temperature: number): tf.Scalar {
  return tf.tidy(() => {
    const logits = tf.div(similar, temperature) as tf.Tensor2D;
    const own = tf.eye(logits.shape[0]);
    const there = tf.losses.softmaxCrossEntropy(own, logits) as tf.Scalar;
    const back = tf.losses.softmaxCrossEntropy(own, tf.transpose(logits)) as tf.Scalar;
    return tf.add(there, back) as tf.Scalar;
  });
}
