import type { LabeledImages } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';

export interface Augmentation {
  /** By how many pixels an image is moved at most, each way; what moves in is the gray that networks see as 0. */
  readonly shift: number;
  /** Whether half of the images are mirrored, left to right. */
  readonly mirror: boolean;
}

/** 0.475 of 255: after the network's rescaling it is 0, as padding is. */
const GRAY = 0.475;

/**
 * The images at these indices, each moved and mirrored at random: [indices, height, width, channels], 0 to 1.
 *
 * @param random uniform in [0, 1); three values are taken for each image.
 */
export function augmentedBatch(
  { images, shape }: LabeledImages,
  indices: readonly number[],
  { shift, mirror }: Augmentation,
  random: () => number,
): tf.Tensor4D {
  const [height, width, channels] = shape;
  const length = height * width * channels;
  const values = new Float32Array(indices.length * length).fill(GRAY);
  const offset = () => Math.floor(random() * (2 * shift + 1)) - shift;
  indices.forEach((index, i) => {
    const [down, right, mirrored] = [offset(), offset(), random() < 0.5 && mirror];
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      for (let x = Math.max(0, -right); x < Math.min(width, width - right); x++) {
        const from = index * length + (y * width + (mirrored ? width - 1 - x : x)) * channels;
        const to = i * length + ((y + down) * width + x + right) * channels;
        for (let c = 0; c < channels; c++) values[to + c] = images[from + c]! / 255;
      }
    }
  });
  return tf.tensor4d(values, [indices.length, ...shape]);
}
