// The network of the experiments that need one trained on clean photographs: trained once per seed, and kept.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CIFAR10_PACKAGE } from '@rebatch/cifar10';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from '../experiment.ts';
import { errorRate } from '../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../training/population.ts';
import type { Photographs } from './data.ts';
import { PhotographTraining, type TrainingSettings } from './photograph-training.ts';
import { buildResidualNetwork } from './residual-network.ts';
import { type Epoch, readTraining, type SavedTraining, writeTraining } from './saved-training.ts';

export interface CleanSettings extends TrainingSettings {
  readonly channels: readonly number[];
  readonly blocks: number;
  /** The population statistics of the finished network, from training photographs as they are. */
  readonly population: LayerwisePopulation;
}

/** A ResNet-8, as the issue that asked for it had it in a trial. */
export const CLEAN: CleanSettings = {
  channels: [16, 32, 64],
  blocks: 1,
  epochs: 12,
  batch: 128,
  peak: 0.2,
  momentum: 0.9,
  weightDecay: 5e-4,
  augmentation: { shift: 2, mirror: true },
  population: { mode: 'layerwise', samples: 4_096 },
};

/**
 * Raised by whoever changes the code of the network or of its training so that another network comes of it: what was
 * trained before is then trained again.
 */
const VERSION = 1;

/** Photographs per forward where nothing is trained; with population statistics it decides nothing but memory. */
const BATCH = 250;

/** Steps between two writes to disk: about a minute. */
const SAVE_EVERY = 100;

/** Ignored by git. */
const FOLDER = fileURLToPath(new URL('../../.cache/networks/', import.meta.url));

export interface CleanNetwork {
  readonly model: tfl.LayersModel;
  readonly history: readonly Epoch[];
}

/**
 * The network of a seed on its population statistics, from disk; trained first where it is not there, or to its end where
 * it was interrupted. The caller owns the model.
 */
export async function cleanNetwork(
  seed: number,
  settings: CleanSettings,
  { training, validation }: Pick<Photographs, 'training' | 'validation'>,
  { signal, advance }: SeedContext,
  folder: string = FOLDER,
): Promise<CleanNetwork> {
  const file = join(folder, `clean-seed${seed}-${keyOf(settings)}.json`);
  const model = buildResidualNetwork({ seed, ...settings, momentum: 0.9 });
  const run = new PhotographTraining(model, training, seed, settings);
  try {
    let saved: SavedTraining | undefined = await readTraining(file);
    if (saved?.finished !== undefined) {
      setWeights(model, saved.finished);
      return { model, history: saved.history };
    }
    if (saved !== undefined) run.resume(saved.state);
    const history = [...(saved?.history ?? [])];
    let lossSum = saved?.lossSum ?? 0;
    while (run.step < run.steps) {
      lossSum += await run.next(signal);
      if (run.step % run.stepsPerEpoch === 0) {
        const loss = lossSum / run.stepsPerEpoch;
        const validationError = await errorRate(model, validation, BATCH);
        history.push({ epoch: run.step / run.stepsPerEpoch, loss, validationError });
        lossSum = 0;
      }
      if (run.step % SAVE_EVERY === 0 || run.step % run.stepsPerEpoch === 0) {
        saved = { state: await run.state(), history, lossSum, finished: undefined };
        await writeTraining(file, saved);
      }
      advance(`seed ${seed}, training the clean network`);
    }
    await usePopulation(model, training, { seed, batch: BATCH, ...settings.population, signal });
    const finished = await weightsOf(model);
    await writeTraining(file, { state: await run.state(), history, lossSum, finished });
    return { model, history };
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    run.dispose();
  }
}

async function weightsOf(model: tfl.LayersModel): Promise<Float32Array[]> {
  return Promise.all(model.weights.map(async (weight) => (await weight.read().data()) as Float32Array));
}

function setWeights(model: tfl.LayersModel, values: readonly Float32Array[]): void {
  const targets = model.weights.map((weight) => weight.read() as tf.Variable);
  for (const [i, target] of targets.entries()) {
    tf.tidy(() => target.assign(tf.tensor(values[i]!, target.shape)));
  }
}

function keyOf(settings: CleanSettings): string {
  const decisive = JSON.stringify([VERSION, settings, CIFAR10_PACKAGE.integrity]);
  return createHash('sha256').update(decisive).digest('hex').slice(0, 16);
}
