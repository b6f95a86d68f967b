// A network trained on clean digits, and what it does in other domains.

import { type LabeledImages, subset } from '@rebatch/digits';
import { firstDigits, loadDigits } from '@rebatch/digits/mnist';
import {
  type AdaptOptions,
  adapt,
  applyStatistics,
  captureStatistics,
  type ModelStatistics,
} from '@rebatch/domains';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from '../experiment.ts';
import { ImageBatches } from '../image-batches.ts';
import { type Block, buildNetwork, errorRate } from '../network.ts';
import { usePopulation } from '../population.ts';
import { cosineDecay, Training } from '../training.ts';

/** Digits per forward; with population statistics it decides nothing but memory. */
const BATCH = 250;

export interface SourceSettings {
  readonly blocks: readonly Block[];
  readonly batch: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly schedule: 'cosine';
  /** Training digits, the first of the training set. Those after them are unseen: target domains are made of them. */
  readonly training: number;
  readonly population: { readonly mode: 'layerwise'; readonly samples: number };
  /** Test digits, the first of the test set. */
  readonly test: number;
}

export const SOURCE: SourceSettings = {
  blocks: [8, 'pool', 16, 'pool', 32, 'pool', 32],
  batch: 32,
  steps: 1_600,
  learningRate: 0.1,
  schedule: 'cosine',
  training: 50_000,
  population: { mode: 'layerwise', samples: 4_096 },
  test: 1_000,
};

/** Clean digits: those to test on, and those that training has not seen, to adapt on. */
export interface CleanDigits {
  readonly test: LabeledImages;
  readonly unseen: LabeledImages;
}

export async function loadClean({ training, test }: SourceSettings): Promise<CleanDigits> {
  const all = await loadDigits('train');
  const unseen = Array.from({ length: all.size - training }, (_, i) => training + i);
  return { test: firstDigits(await loadDigits('t10k'), test), unseen: subset(all, unseen) };
}

/** Owns a trained model and its source statistics, which every measurement starts from. */
export class SourceModel {
  readonly #model: tfl.LayersModel;
  readonly #statistics: ModelStatistics;
  readonly #signal: AbortSignal;

  private constructor(model: tfl.LayersModel, statistics: ModelStatistics, signal: AbortSignal) {
    this.#model = model;
    this.#statistics = statistics;
    this.#signal = signal;
  }

  /** Advances once per step. */
  static async train(seed: number, settings: SourceSettings, context: SeedContext): Promise<SourceModel> {
    const { blocks, batch, steps, learningRate, population } = settings;
    const digits = firstDigits(await loadDigits('train'), settings.training);
    const model = buildNetwork({ seed, momentum: 0.9, blocks });
    const training = new Training(model, digits, { seed, batch, learningRate });
    try {
      for (let step = 0; step < steps; step++) {
        training.setLearningRate(cosineDecay(learningRate, step, steps));
        await training.step(context, `seed ${seed}, training`);
      }
      await usePopulation(model, digits, { seed, batch: BATCH, ...population, signal: context.signal });
      return new SourceModel(model, await captureStatistics(model), context.signal);
    } catch (error) {
      model.dispose();
      throw error;
    } finally {
      training.dispose();
    }
  }

  /** The test error under the source statistics. */
  async error(test: LabeledImages): Promise<number> {
    this.#signal.throwIfAborted();
    applyStatistics(this.#model, this.#statistics);
    return errorRate(this.#model, test, BATCH);
  }

  /** The test error when each mini-batch of the test digits normalizes by itself. */
  async miniBatchError(test: LabeledImages, batch: number): Promise<number> {
    this.#signal.throwIfAborted();
    return errorRate(this.#model, test, batch, 'batch');
  }

  /** The test error after adapting from the source statistics to these digits, whose labels are not read. */
  async adaptedError(test: LabeledImages, target: LabeledImages, options: AdaptOptions): Promise<number> {
    applyStatistics(this.#model, this.#statistics);
    const indices = Array.from({ length: target.size }, (_, i) => i);
    const data = new ImageBatches(target, indices, BATCH);
    await adapt(this.#model, data, { ...options, signal: this.#signal });
    return errorRate(this.#model, test, BATCH);
  }

  dispose(): void {
    this.#model.dispose();
  }
}
