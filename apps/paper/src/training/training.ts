// The training loop of the experiments: plain SGD on seeded batches, interruptible between steps.

import { setImmediate } from 'node:timers/promises';
import type { LabeledImages } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from '../experiment.ts';
import { type Block, trainStep } from './network.ts';
import { shuffledBatches } from './shuffle.ts';

export interface TrainingOptions {
  readonly seed: number;
  readonly batch: number;
  readonly learningRate: number;
  /** The samples of each batch; default shuffles of all. */
  readonly batches?: Generator<number[], never>;
}

/** The settings of a whole training, at a learning rate that falls along half a cosine. */
export interface CosineSettings {
  readonly blocks: readonly Block[];
  /** Samples per SGD step. */
  readonly batch: number;
  readonly steps: number;
  /** Of the first step. */
  readonly learningRate: number;
  readonly schedule: 'cosine';
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

  /** So many steps, one after another. */
  async steps(count: number, context: SeedContext, what: string): Promise<void> {
    for (let step = 0; step < count; step++) await this.step(context, what);
  }

  setLearningRate(learningRate: number): void {
    this.#optimizer.setLearningRate(learningRate);
  }

  dispose(): void {
    this.#optimizer.dispose();
  }
}

/** Trains from the first step to the last, at a learning rate that falls from that of the options along half a cosine. */
export async function trainWithCosine(
  model: tfl.LayersModel,
  images: LabeledImages,
  options: TrainingOptions & Pick<CosineSettings, 'steps'>,
  context: SeedContext,
  what: string,
): Promise<void> {
  const { learningRate, steps } = options;
  const training = new Training(model, images, options);
  try {
    for (let step = 0; step < steps; step++) {
      training.setLearningRate(cosineDecay(learningRate, step, steps));
      await training.step(context, what);
    }
  } finally {
    training.dispose();
  }
}

/** Half a cosine from `peak` at the first step (0) towards 0 at the last (Loshchilov & Hutter 2017). */
export function cosineDecay(peak: number, step: number, steps: number): number {
  return (peak * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}
