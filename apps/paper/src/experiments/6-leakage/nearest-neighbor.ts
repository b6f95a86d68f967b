import { imageTensor, type LabeledImages, ranges } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/**
 * How well an encoder, in inference, tells classes apart: the share of images whose nearest neighbor (by cosine) among
 * the known ones has another label, 0 to 1.
 */
export function nearestNeighborError(
  encoder: tfl.LayersModel,
  known: LabeledImages,
  images: LabeledImages,
): number {
  return tf.tidy(() => {
    const [theirs, own] = [known, images].map((set) => {
      const parts = [...ranges(set.size, 256)].map(
        (indices) => encoder.apply(imageTensor(set, indices)) as tf.Tensor2D,
      );
      const encoded = tf.concat(parts, 0);
      return tf.div(encoded, tf.add(tf.norm(encoded, 2, 1, true), 1e-6));
    }) as [tf.Tensor2D, tf.Tensor2D];
    const nearest = Array.from(tf.argMax(tf.matMul(own, theirs, false, true), 1).dataSync());
    return nearest.filter((at, i) => known.labels[at] !== images.labels[i]).length / images.size;
  });
}
