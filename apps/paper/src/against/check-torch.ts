// `pnpm paper --check-torch`: the same network from the same weights, trained for 200 steps here and in PyTorch.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadDigits } from '@rebatch/digits';
import { imageTensor, type LabeledImages, labelTensor, subset } from '@rebatch/images';
import { batchNormLayers } from '@rebatch/layers';
import { estimateStatistics } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import { ImageBatches } from '../training/image-batches.ts';
import { type Block, buildNetwork } from '../training/network.ts';
import { sampleIndices } from '../training/shuffle.ts';
import { type PlainStatistics, plainPrecise } from './plain-precise.ts';
import { findPython, runPython } from './python.ts';

const BLOCKS: readonly Block[] = [16, 'pool', 32, 'pool', 64, 'pool'];

const JOB = {
  steps: 200,
  batch: 64,
  // Small: at rates where the loss first rises, rounding errors grow to its size within ten steps.
  learningRate: 0.02,
  preciseSamples: 2_000,
  preciseBatch: 100,
} as const;

/** What was compared. Plain JSON. */
export interface TorchCheck {
  readonly settings: typeof JOB;
  readonly torch: string;
  readonly backend: string;
  /** The loss of each step, before it. */
  readonly losses: { readonly ours: readonly number[]; readonly torch: readonly number[] };
  /** Of the same trained weights, the largest difference over layers and channels: means in deviations, variances in logarithms. */
  readonly statistics: {
    readonly plainAgainstTorch: Difference;
    readonly recalibratedAgainstPlain: Difference;
  };
}

export interface Difference {
  readonly mean: number;
  readonly variance: number;
}

/** @throws (rejects) an Error that says what to install where there is no PyTorch; or with the signal's reason. */
export async function checkTorch(signal: AbortSignal): Promise<TorchCheck> {
  const python = await findPython();
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-torch-'));
  const digits = await loadDigits('train');
  const images = grainy(subset(digits, sampleIndices(digits.size, JOB.steps * JOB.batch, 1)));
  const model = buildNetwork({ seed: 1, momentum: 0.9, blocks: BLOCKS });
  try {
    const trainable = () => model.trainableWeights.map((weight) => weight.read());
    await writeFile(
      join(folder, 'job.json'),
      JSON.stringify({
        ...JOB,
        blocks: BLOCKS,
        shapes: trainable().map(({ shape }) => shape),
        epsilon: batchNormLayers(model)[0]!.epsilon,
      }),
    );
    await writeFile(join(folder, 'images.bin'), images.images);
    await writeFile(join(folder, 'labels.bin'), images.labels);
    await writeFile(join(folder, 'initial.bin'), await bytesOf(trainable()));
    const ours = await train(model, images, signal);
    await writeFile(join(folder, 'trained.bin'), await bytesOf(trainable()));
    const script = fileURLToPath(new URL('./train.py', import.meta.url));
    await runPython(python, script, folder, signal);
    const found = JSON.parse(await readFile(join(folder, 'torch.json'), 'utf8'));
    const measured = subset(
      images,
      Array.from({ length: JOB.preciseSamples }, (_, i) => i),
    );
    const plain = await plainPrecise(model, measured, JOB.preciseBatch);
    const data = new ImageBatches(
      measured,
      Array.from({ length: measured.size }, (_, i) => i),
      JOB.preciseBatch,
    );
    const { statistics } = await estimateStatistics(model, data, { mode: 'batch', samples: 'all', signal });
    const recalibrated = statistics.map(({ mean, variance }) => ({
      mean: [...mean],
      variance: [...variance],
    }));
    return {
      settings: JOB,
      torch: found.version,
      backend: tf.getBackend(),
      losses: { ours, torch: found.losses },
      statistics: {
        plainAgainstTorch: differenceOf(found.statistics, plain),
        recalibratedAgainstPlain: differenceOf(plain, recalibrated),
      },
    };
  } finally {
    model.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * With a little noise everywhere. In the flat background of digits all values of a pool are the same, and which of them
 * gets the gradient is each library's choice.
 */
function grainy(images: LabeledImages): LabeledImages {
  const random = seedrandom('grain');
  return {
    ...images,
    images: images.images.map((value) => Math.min(255, value + Math.floor(32 * random()))),
  };
}

async function train(model: tfl.LayersModel, images: LabeledImages, signal: AbortSignal): Promise<number[]> {
  const optimizer = tf.train.sgd(JOB.learningRate);
  const losses: number[] = [];
  for (let step = 0; step < JOB.steps; step++) {
    signal.throwIfAborted();
    const indices = Array.from({ length: JOB.batch }, (_, i) => step * JOB.batch + i);
    const loss = tf.tidy(() => {
      const [xs, ys] = [imageTensor(images, indices), labelTensor(images, indices)];
      const cost = () =>
        tf.losses.softmaxCrossEntropy(ys, model.apply(xs, { training: true }) as tf.Tensor) as tf.Scalar;
      return optimizer.minimize(cost, true)!;
    });
    losses.push((await loss.data())[0]!);
    loss.dispose();
  }
  optimizer.dispose();
  return losses;
}

async function bytesOf(tensors: readonly tf.Tensor[]): Promise<Buffer> {
  const parts = await Promise.all(
    tensors.map(async (tensor) => Buffer.from((await tensor.data()).slice().buffer)),
  );
  return Buffer.concat(parts);
}

/** The largest over all layers and channels. */
export function differenceOf(
  exact: readonly PlainStatistics[],
  other: readonly PlainStatistics[],
): Difference {
  let [mean, variance] = [0, 0];
  exact.forEach((layer, i) => {
    layer.mean.forEach((value, c) => {
      const own = other[i]!;
      mean = Math.max(mean, Math.abs(own.mean[c]! - value) / Math.sqrt(layer.variance[c]!));
      variance = Math.max(variance, Math.abs(Math.log(own.variance[c]! / layer.variance[c]!)));
    });
  });
  return { mean, variance };
}
