import { imageTensor, type LabeledImages } from '@rebatch/images';
import type * as tf from '@tensorflow/tfjs-core';

/** Images in batches of at most `batch`, made again on every pass: the data of a recalibration. */
export class ImageBatches implements Iterable<tf.Tensor> {
  readonly #images: LabeledImages;
  readonly #indices: readonly number[];
  readonly #batch: number;

  constructor(images: LabeledImages, indices: readonly number[], batch: number) {
    this.#images = images;
    this.#indices = indices;
    this.#batch = batch;
  }

  *[Symbol.iterator](): Iterator<tf.Tensor> {
    for (let start = 0; start < this.#indices.length; start += this.#batch) {
      yield imageTensor(this.#images, this.#indices.slice(start, start + this.#batch));
    }
  }
}
