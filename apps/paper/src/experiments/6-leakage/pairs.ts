// Pairs of views of the same image. Given the first, an encoder is to find the second among the views of the whole batch.

import type { LabeledImages } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import { sampleIndices } from '../../training/shuffle.ts';

/** How pairs of views lie in a batch: in each group the first views of its images, then their second views. */
export interface PairLayout {
  readonly groups: number;
  /** Side of the square window of an image that a view shows, in pixels; all else is black. */
  readonly window: number;
}

/** Random views of the images at these indices: [2 * indices, height, width, 1], 0 to 1, laid out in groups. */
export function pairTensor(
  images: LabeledImages,
  indices: readonly number[],
  { groups, window }: PairLayout,
  random: () => number,
): tf.Tensor4D {
  const [height, width] = images.shape;
  const length = height * width;
  const perGroup = indices.length / groups;
  const values = new Float32Array(2 * indices.length * length);
  for (let view = 0; view < 2 * indices.length; view++) {
    const group = Math.floor(view / (2 * perGroup));
    const from = indices[group * perGroup + (view % perGroup)]! * length;
    const top = Math.floor(random() * (height - window + 1));
    const left = Math.floor(random() * (width - window + 1));
    for (let y = top; y < top + window; y++) {
      for (let x = left; x < left + window; x++) {
        const at = y * width + x;
        values[view * length + at] = images.images[from + at]! / 255;
      }
    }
  }
  return tf.tensor4d(values, [2 * indices.length, height, width, 1]);
}

/** Cosines between first views (rows) and second views (columns) of a batch of encoded pairs. Differentiable. */
export function similarities(encoded: tf.Tensor, groups: number): tf.Tensor2D {
  return tf.tidy(() => {
    const [views, features] = encoded.shape as [number, number];
    const directions = tf.div(encoded, tf.add(tf.norm(encoded, 2, 1, true), 1e-6));
    const grouped = tf.reshape(directions, [groups, 2, views / groups / 2, features]);
    const [first, second] = [0, 1].map((which) =>
      tf.reshape(tf.slice(grouped, [0, which, 0, 0], [-1, 1, -1, -1]), [views / 2, features]),
    ) as [tf.Tensor2D, tf.Tensor2D];
    return tf.matMul(first, second, false, true);
  });
}

/**
 * The share of first views whose second view is not the most similar one of the batch, 0 to 1.
 *
 * @param batches indices of the images of each batch. The same seed gives the same views.
 * @param statistics by batch statistics of the batch as it lies (`'together'`), or with its views permuted (`'apart'`), as
 *   in training; or by population statistics.
 */
export function mismatchRate(
  model: tfl.LayersModel,
  images: LabeledImages,
  batches: readonly (readonly number[])[],
  layout: PairLayout,
  statistics: 'together' | 'apart' | 'population',
  seed: number,
): number {
  const random = seedrandom(`matched views ${seed}`);
  let [wrong, all] = [0, 0];
  for (const indices of batches) {
    const nearest = tf.tidy(() => {
      const views = pairTensor(images, indices, layout, random);
      const encode = (x: tf.Tensor) => model.apply(x, { training: statistics !== 'population' }) as tf.Tensor;
      const encoded = statistics === 'apart' ? permuted(views, encode, seed) : encode(views);
      return Array.from(tf.argMax(similarities(encoded, layout.groups), 1).dataSync());
    });
    wrong += nearest.filter((second, first) => second !== first).length;
    all += nearest.length;
  }
  return wrong / all;
}

/** What a function of samples gives for them in another order, put back in theirs. */
function permuted(x: tf.Tensor, fn: (x: tf.Tensor) => tf.Tensor, seed: number): tf.Tensor {
  const order = sampleIndices(x.shape[0]!, x.shape[0]!, seed);
  const inverse = order.map((_, sample) => order.indexOf(sample));
  return tf.gather(fn(tf.gather(x, order)), inverse);
}
