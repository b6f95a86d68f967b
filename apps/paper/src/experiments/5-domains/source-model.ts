// A network trained on clean images, and what it does in other domains.

import { firstDigits, loadDigits } from '@rebatch/digits';
import {
  type AdaptOptions,
  adapt,
  applyStatistics,
  captureReference,
  captureStatistics,
  type ModelStatistics,
  type Reference,
} from '@rebatch/domains';
import { type LabeledImages, subset } from '@rebatch/images';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from '../../experiment.ts';
import { ImageBatches } from '../../training/image-batches.ts';
import { buildNetwork, errorRate } from '../../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../../training/population.ts';
import { type CosineSettings, trainWithCosine } from '../../training/training.ts';

/** Images per forward; with population statistics it decides nothing but memory. */
const BATCH = 250;

export interface SourceSettings extends CosineSettings {
  /** Training digits, the first of the training set. Those after them are unseen: target domains are made of them. */
  readonly training: number;
  readonly population: LayerwisePopulation;
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

  /** Takes over a trained network, on its source statistics. */
  static async of(model: tfl.LayersModel, signal: AbortSignal): Promise<SourceModel> {
    return new SourceModel(model, await captureStatistics(model), signal);
  }

  /** Trains one on digits. Advances once per step. */
  static async train(seed: number, settings: SourceSettings, context: SeedContext): Promise<SourceModel> {
    const { blocks, population } = settings;
    const digits = firstDigits(await loadDigits('train'), settings.training);
    const model = buildNetwork({ seed, momentum: 0.9, blocks });
    try {
      await trainWithCosine(model, digits, { seed, ...settings }, context, `seed ${seed}, training`);
      await usePopulation(model, digits, { seed, batch: BATCH, ...population, signal: context.signal });
      return await SourceModel.of(model, context.signal);
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** The test error under the source statistics. */
  async error(test: LabeledImages): Promise<number> {
    this.#signal.throwIfAborted();
    applyStatistics(this.#model, this.#statistics);
    return errorRate(this.#model, test, BATCH);
  }

  /** The test error when each mini-batch of the test images normalizes by itself. */
  async miniBatchError(test: LabeledImages, batch: number): Promise<number> {
    this.#signal.throwIfAborted();
    return errorRate(this.#model, test, batch, 'batch');
  }

  /** The test error after adapting from the source statistics to these images, whose labels are not read. */
  async adaptedError(test: LabeledImages, target: LabeledImages, options: AdaptOptions): Promise<number> {
    applyStatistics(this.#model, this.#statistics);
    const indices = Array.from({ length: target.size }, (_, i) => i);
    const data = new ImageBatches(target, indices, BATCH);
    await adapt(this.#model, data, { ...options, signal: this.#signal });
    return errorRate(this.#model, test, BATCH);
  }

  /** What the network's sites see on these images, under the source statistics. */
  async reference(images: LabeledImages): Promise<Reference> {
    applyStatistics(this.#model, this.#statistics);
    const indices = Array.from({ length: images.size }, (_, i) => i);
    return captureReference(this.#model, new ImageBatches(images, indices, BATCH), { signal: this.#signal });
  }

  dispose(): void {
    this.#model.dispose();
  }
}
