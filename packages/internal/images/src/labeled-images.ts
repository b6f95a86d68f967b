// Images with a label each: what the experiments train on.
import * as tf from '@tensorflow/tfjs-core';

export interface LabeledImages {
  readonly size: number;
  /** Height, width and channels of an image. */
  readonly shape: readonly [number, number, number];
  /** size x height x width x channels, 0 to 255. */
  readonly images: Uint8Array;
  /** 0 to classes - 1. */
  readonly labels: Uint8Array;
  readonly classes: number;
}

/** The images at these indices: [indices, height, width, channels], 0 to 1. */
export function imageTensor({ images, shape }: LabeledImages, indices: ArrayLike<number>): tf.Tensor4D {
  const length = tf.util.sizeFromShape([...shape]);
  const values = new Float32Array(indices.length * length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * length;
    for (let p = 0; p < length; p++) values[i * length + p] = images[from + p]! / 255;
  }
  return tf.tensor4d(values, [indices.length, ...shape]);
}

/** The labels at these indices, one-hot: [indices, classes]. */
export function labelTensor({ labels, classes }: LabeledImages, indices: ArrayLike<number>): tf.Tensor2D {
  const values = new Float32Array(indices.length * classes);
  for (let i = 0; i < indices.length; i++) values[i * classes + labels[indices[i]!]!] = 1;
  return tf.tensor2d(values, [indices.length, classes]);
}

/** Consecutive index ranges of at most `batch` that cover [0, size). */
export function* ranges(size: number, batch: number): Generator<number[]> {
  for (let start = 0; start < size; start += batch) {
    yield Array.from({ length: Math.min(batch, size - start) }, (_, i) => start + i);
  }
}

/** The images at these indices, as a set of their own. */
export function subset(images: LabeledImages, indices: readonly number[]): LabeledImages {
  const length = tf.util.sizeFromShape([...images.shape]);
  const chosen = new Uint8Array(indices.length * length);
  indices.forEach((index, i) => {
    chosen.set(images.images.subarray(index * length, (index + 1) * length), i * length);
  });
  const labels = Uint8Array.from(indices, (index) => images.labels[index]!);
  return { ...images, size: indices.length, images: chosen, labels };
}
