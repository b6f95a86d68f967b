// The trained model with its stored domains: worker side.

import {
  adapt,
  captureStatistics,
  type ModelStatistics,
  type StatisticsBank,
  statisticsBank,
} from '@rebatch/domains';
import { imageTensor, type LabeledImages, ranges, subset } from '@rebatch/images';
import { type BatchNormLayer, batchNormLayers } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { imagesInBatches } from '../../network/images-in-batches.ts';
import { corrupted, ownDigits } from './digit-sets.ts';
import { histogram } from './histogram.ts';
import { scoreOf } from './score.ts';
import {
  type Activations,
  type AdaptOptions,
  type BankState,
  type Domain,
  EVALUATED,
  type Measurement,
  type Reading,
  SOURCE,
} from './settings.ts';

/** The part of a task's run that long work needs: to pause for messages, and to end when it is cancelled. */
export interface Breath {
  readonly signal: AbortSignal;
  breathe(): Promise<void>;
}

/** Digits whose activations are looked at: enough for a smooth histogram, few enough to be read back at once. */
const LOOKED_AT = 48;
/** Digits that go through the model at once, where they are read and where it adapts to them. */
const [READING_BATCH, ADAPTATION_BATCH] = [100, 64];
const [EVALUATION_SEED, ADAPTATION_SEED] = [1, 1_000_001];
const PRESENT = 'present';

export class DomainLab {
  /** What the visitor stored. */
  readonly bank: StatisticsBank;
  /** The statistics of the training data and the present ones, to switch between them. */
  readonly #kept: StatisticsBank;
  readonly #model: tfl.LayersModel;
  /** The same layers; gives what goes into each batch normalization. */
  readonly #probe: tfl.LayersModel;
  readonly #layers: readonly BatchNormLayer[];
  readonly #train: LabeledImages;
  readonly #test: LabeledImages;
  #evaluated: { readonly key: string; readonly digits: LabeledImages } | undefined;
  #clean: Measurement | undefined;

  /** @param model disposed with the lab. */
  static async open(model: tfl.LayersModel, train: LabeledImages, test: LabeledImages): Promise<DomainLab> {
    const lab = new DomainLab(model, train, test);
    await lab.#kept.capture(SOURCE);
    await lab.#kept.capture(PRESENT);
    await lab.bank.capture(SOURCE);
    return lab;
  }

  private constructor(model: tfl.LayersModel, train: LabeledImages, test: LabeledImages) {
    this.#model = model;
    this.#layers = batchNormLayers(model);
    this.#probe = tfl.model({
      inputs: model.inputs,
      outputs: this.#layers.map(({ input }) => input as tfl.SymbolicTensor),
    });
    this.#train = train;
    this.#test = test;
    this.bank = statisticsBank(model);
    this.#kept = statisticsBank(model);
  }

  get bankState(): BankState {
    return { names: this.bank.names, current: this.bank.current };
  }

  /** The digits of a domain that accuracies are of, or the first of them. */
  async digits(domain: Domain, breath: Breath, size = EVALUATED): Promise<LabeledImages> {
    const key = `${domain.corruption} ${domain.severity} ${size}`;
    if (this.#evaluated?.key !== key) {
      const options = { size, seed: EVALUATION_SEED, breathe: () => breath.breathe() };
      this.#evaluated = { key, digits: await corrupted(this.#test, domain, options) };
    }
    return this.#evaluated.digits;
  }

  /** The model on clean digits, under the statistics of its training data. Leaves the model on these. */
  async clean(breath: Breath): Promise<Measurement> {
    await this.toSource();
    const digits = subset(this.#test, [...Array(EVALUATED).keys()]);
    this.#clean ??= await this.measure(digits, breath);
    return this.#clean;
  }

  /** Goes back to the statistics of the training data. */
  async toSource(): Promise<void> {
    this.#kept.use(SOURCE);
    await this.#settle();
  }

  /**
   * Switches to a stored domain, and measures there.
   *
   * @throws (rejects) leaving the statistics from before.
   */
  async use(name: string, measure: () => Promise<Measurement>): Promise<Measurement> {
    try {
      this.bank.use(name);
      const measured = await measure();
      await this.#settle();
      return measured;
    } catch (error) {
      this.#kept.use(PRESENT);
      throw error;
    }
  }

  /** Under the present statistics. */
  async measure(digits: LabeledImages, breath: Breath): Promise<Measurement> {
    const predicted: number[] = [];
    for (const indices of ranges(digits.size, READING_BATCH)) {
      await breath.breathe();
      const classes = tf.tidy(() => tf.argMax(this.#logits(imageTensor(digits, indices)), -1));
      predicted.push(...(await read(classes)));
    }
    await breath.breathe();
    return { score: scoreOf(predicted, digits), activations: await this.#activations(digits) };
  }

  /**
   * Adapts the model to ever more samples, each time from the source's statistics, up to the number that is asked for.
   *
   * @param done called when it is adapted to so many samples, and stays so if what follows is cancelled.
   * @throws (rejects) leaving the statistics of the last call of `done`, or those from before.
   */
  async adapt(
    { domain, images, samples, prior }: AdaptOptions,
    breath: Breath,
    done: (samples: number, shifts: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const options = { size: samples, seed: ADAPTATION_SEED, breathe: () => breath.breathe() };
    const target =
      images === undefined ? await corrupted(this.#train, domain, options) : ownDigits(images, samples);
    for (const size of doublings(target.size)) {
      try {
        this.#kept.use(SOURCE);
        const batches = imagesInBatches(target, size, ADAPTATION_BATCH);
        const report = await adapt(this.#model, batches, { prior, signal: breath.signal });
        await this.#settle();
        await done(
          size,
          report.layers.map(({ shift }) => shift?.mean.rms ?? Number.NaN),
        );
      } catch (error) {
        this.#kept.use(PRESENT);
        throw error;
      }
    }
  }

  /** What the model takes one digit for, under the source's statistics and the present ones. */
  async read(image: Uint8Array, domain: Domain, breath: Breath): Promise<Reading> {
    const options = { size: 1, seed: EVALUATION_SEED, breathe: () => breath.breathe() };
    const seen = await corrupted(ownDigits(image, 1), domain, options);
    const probabilities = () => tf.tidy(() => tf.softmax(this.#logits(imageTensor(seen, [0]))));
    let source: tf.Tensor;
    try {
      this.#kept.use(SOURCE);
      source = probabilities();
    } finally {
      this.#kept.use(PRESENT);
    }
    const present = probabilities();
    const [before, now] = await Promise.all([read(source), read(present)]);
    return { seen: seen.images, source: Float32Array.from(before), present: Float32Array.from(now) };
  }

  dispose(): void {
    this.bank.dispose();
    this.#kept.dispose();
    this.#model.dispose();
  }

  /** Makes the model's statistics the present ones. */
  async #settle(): Promise<void> {
    await this.#kept.capture(PRESENT);
  }

  #logits(images: tf.Tensor): tf.Tensor {
    return this.#model.apply(images, { training: false }) as tf.Tensor;
  }

  async #activations(digits: LabeledImages): Promise<Activations> {
    const statistics: ModelStatistics = await captureStatistics(this.#model);
    const inputs = tf.tidy(() => {
      const images = imageTensor(digits, [...Array(Math.min(LOOKED_AT, digits.size)).keys()]);
      const found = this.#probe.apply(images, { training: false }) as tf.Tensor | tf.Tensor[];
      return Array.isArray(found) ? found : [found];
    });
    const values = await Promise.all(inputs.map((input) => input.data<'float32'>()));
    tf.dispose(inputs);
    return values.map((layer, at) => histogram(layer, statistics[at]!, this.#layers[at]!.epsilon));
  }
}

async function read(tensor: tf.Tensor): Promise<ArrayLike<number> & Iterable<number>> {
  try {
    return await tensor.data();
  } finally {
    tensor.dispose();
  }
}

/** 8, 16, ... and at last the number itself. */
export function doublings(samples: number): number[] {
  const sizes: number[] = [];
  for (let size = 8; size < samples; size *= 2) sizes.push(size);
  return [...sizes, samples];
}
