// Training a network on photographs: one-cycle rate, Nesterov momentum, weight decay, augmentation. It can stop after any
// step and go on in another process as if it had not stopped.

import { setImmediate } from 'node:timers/promises';
import { type LabeledImages, labelTensor } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import type { SeedContext } from '../experiment.ts';
import { sampleIndices } from '../training/shuffle.ts';
import { type Augmentation, augmentedBatch } from './augmented-batch.ts';
import { Nesterov, type NesterovSettings } from './nesterov.ts';
import { type RateSettings, rateOf } from './rate.ts';

export interface TrainingSettings extends NesterovSettings, RateSettings {
  readonly epochs: number;
  /** Photographs per step; what does not fill a batch is left out of its epoch. */
  readonly batch: number;
  readonly augmentation: Augmentation;
}

/** Everything that decides the next steps. Plain numbers, in the order of the model's weights. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly weights: readonly Float32Array[];
  readonly velocities: readonly Float32Array[];
}

/** Owns its optimizer, not the model. */
export class PhotographTraining {
  readonly #model: tfl.LayersModel;
  readonly #images: LabeledImages;
  readonly #seed: number;
  readonly #settings: TrainingSettings;
  readonly #optimizer: Nesterov;
  #step = 0;
  readonly #batches: Iterator<number[], never> | undefined;
  #order: { readonly epoch: number; readonly indices: readonly number[] } | undefined;

  /**
   * @param batches which photographs each step takes, by index; default shuffles of all. With batches of its own a training
   *   cannot be resumed in another process.
   */
  constructor(
    model: tfl.LayersModel,
    images: LabeledImages,
    seed: number,
    settings: TrainingSettings,
    batches?: Iterator<number[], never>,
  ) {
    this.#model = model;
    this.#images = images;
    this.#seed = seed;
    this.#settings = settings;
    this.#batches = batches;
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    this.#optimizer = new Nesterov(variables, settings);
  }

  get stepsPerEpoch(): number {
    return Math.floor(this.#images.size / this.#settings.batch);
  }

  get steps(): number {
    return this.stepsPerEpoch * this.#settings.epochs;
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  /** Takes the next step, and gives the loss of its batch before it. */
  async next(signal: AbortSignal): Promise<number> {
    // Lets an interruption arrive: a step itself never waits.
    await setImmediate();
    signal.throwIfAborted();
    const { augmentation } = this.#settings;
    const indices = this.#batches === undefined ? this.#nextOfEpoch() : this.#batches.next().value;
    const random = seedrandom(`augmentation ${this.#seed} ${this.#step}`);
    let value = Number.NaN;
    tf.tidy(() => {
      const xs = augmentedBatch(this.#images, indices, augmentation, random);
      const ys = labelTensor(this.#images, indices);
      this.#optimizer.minimize(
        () => {
          const logits = this.#model.apply(xs, { training: true }) as tf.Tensor;
          const loss = tf.losses.softmaxCrossEntropy(ys, logits) as tf.Scalar;
          value = loss.dataSync()[0]!;
          return loss;
        },
        rateOf(this.#settings, this.#step, this.steps),
      );
    });
    if (!Number.isFinite(value)) throw new Error(`training: the loss of step ${this.#step + 1} is ${value}`);
    this.#step++;
    return value;
  }

  async state(): Promise<TrainingState> {
    const read = (tensors: readonly tf.Tensor[]) =>
      Promise.all(tensors.map(async (tensor) => (await tensor.data()) as Float32Array));
    return {
      step: this.#step,
      weights: await read(this.#model.weights.map((weight) => weight.read())),
      velocities: await read(this.#optimizer.velocities),
    };
  }

  /**
   * Goes on from a state of a training with the same settings.
   *
   * @throws Error if the shapes are not those of this model; nothing is changed then.
   */
  resume({ step, weights, velocities }: TrainingState): void {
    const targets = this.#model.weights.map((weight) => weight.read() as tf.Variable);
    const pairs = [
      ...targets.map((target, i) => [target, weights[i]] as const),
      ...this.#optimizer.velocities.map((target, i) => [target, velocities[i]] as const),
    ];
    if (
      weights.length !== targets.length ||
      velocities.length !== this.#optimizer.velocities.length ||
      pairs.some(([target, values]) => values?.length !== target.size)
    ) {
      throw new Error('training: this state is of another network');
    }
    for (const [target, values] of pairs) tf.tidy(() => target.assign(tf.tensor(values!, target.shape)));
    this.#step = step;
  }

  dispose(): void {
    this.#optimizer.dispose();
  }

  /** Each epoch is a shuffle of its own, whatever was before. */
  #nextOfEpoch(): readonly number[] {
    const { batch } = this.#settings;
    const start = (this.#step % this.stepsPerEpoch) * batch;
    const epoch = Math.floor(this.#step / this.stepsPerEpoch);
    if (this.#order?.epoch !== epoch) {
      const { size } = this.#images;
      this.#order = { epoch, indices: sampleIndices(size, size, this.#seed * 1000 + epoch) };
    }
    return this.#order.indices.slice(start, start + batch);
  }
}

/** Steps of a whole training. */
export function stepsOf({ epochs, batch }: TrainingSettings, photographs: number): number {
  return epochs * Math.floor(photographs / batch);
}

/** Trains from the first step to the last; advances once per step. */
export async function trainOnPhotographs(
  model: tfl.LayersModel,
  images: LabeledImages,
  seed: number,
  settings: TrainingSettings,
  { signal, advance }: SeedContext,
  what: string,
  batches?: Iterator<number[], never>,
): Promise<void> {
  const training = new PhotographTraining(model, images, seed, settings, batches);
  try {
    while (training.step < training.steps) {
      await training.next(signal);
      advance(what);
    }
  } finally {
    training.dispose();
  }
}
