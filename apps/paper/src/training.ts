// The training loop of the experiments: plain SGD on seeded batches, interruptible between steps.
import { setImmediate } from 'node:timers/promises';
import type { LabeledImages } from '@rebatch/digits';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from './experiment.ts';
import { trainStep } from './network.ts';
import { shuffledBatches } from './shuffle.ts';

export interface TrainingOptions {
  readonly seed: number;
  readonly batch: number;
  readonly learningRate: number;
  /** The samples of each batch; default shuffles of all. */
  readonly batches?: Generator<number[], never>;
}

/** A training run that goes on where it stopped. Owns its optimizer, not the model. */
export class Training {
  readonly #model: tfl.LayersModel;
  readonly #images: LabeledImages;
  readonly #batches: Generator<number[], never>;
  readonly #optimizer: tf.SGDOptimizer;

  constructor(model: tfl.LayersModel, images: LabeledImages, options: TrainingOptions) {
    const { seed, batch, learningRate, batches = shuffledBatches(images.size, batch, seed) } = options;
    this.#model = model;
    this.#images = images;
    this.#batches = batches;
    this.#optimizer = tf.train.sgd(learningRate);
  }

  /** One SGD step on the next batch. */
  async step({ signal, advance }: SeedContext, what: string): Promise<void> {
    // Lets an interruption arrive: a step itself never waits.
    await setImmediate();
    signal.throwIfAborted();
    trainStep(this.#model, this.#optimizer, this.#images, this.#batches.next().value);
    advance(what);
  }

  setLearningRate(learningRate: number): void {
    this.#optimizer.setLearningRate(learningRate);
  }

  dispose(): void {
    this.#optimizer.dispose();
  }
}

/** Half a cosine from `peak` at the first step (0) towards 0 at the last (Loshchilov & Hutter 2017). */
export function cosineDecay(peak: number, step: number, steps: number): number {
  return (peak * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}
