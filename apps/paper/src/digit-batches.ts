import type * as tf from '@tensorflow/tfjs-core';
import { type Digits, imageTensor } from './mnist.ts';

/** Images in batches of at most `batch`, made again on every pass: the data of a recalibration. */
export class DigitBatches implements Iterable<tf.Tensor> {
  readonly #digits: Digits;
  readonly #indices: readonly number[];
  readonly #batch: number;

  constructor(digits: Digits, indices: readonly number[], batch: number) {
    this.#digits = digits;
    this.#indices = indices;
    this.#batch = batch;
  }

  *[Symbol.iterator](): Iterator<tf.Tensor> {
    for (let start = 0; start < this.#indices.length; start += this.#batch) {
      yield imageTensor(this.#digits, this.#indices.slice(start, start + this.#batch));
    }
  }
}
