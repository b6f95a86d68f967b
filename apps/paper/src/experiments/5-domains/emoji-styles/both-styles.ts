// A network that is trained on both styles at once: what the styles share in training, in inference, and of the affine.

import {
  applyStatistics,
  captureStatistics,
  diffStatistics,
  domainBatchNormalization,
  type ModelStatistics,
  type Sharing,
  withDomain,
} from '@rebatch/domains';
import { type LabeledImages, subset } from '@rebatch/images';
import { estimateStatistics } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from '../../../experiment.ts';
import { ImageBatches } from '../../../training/image-batches.ts';
import { buildNetwork, errorRate } from '../../../training/network.ts';
import { trainWithCosine } from '../../../training/training.ts';
import { copyTrainedWeights } from '../copy-trained-weights.ts';
import { augment } from './augment.ts';
import { inMixedOrder, inOneSet, mixedBatches } from './mixed.ts';
import { STYLES, type Style } from './packages.ts';
import type { BothStylesRow, DistanceRow, Settings } from './rows.ts';
import type { SymbolSplit } from './split.ts';

/** The trainings: what normalizes, and whose gamma and beta. `shared-head` has shared moments with separate affine, too. */
const TRAININGS = [
  { train: 'shared', affine: 'shared' },
  { train: 'per-domain', affine: 'shared' },
  { train: 'per-domain', affine: 'per-domain' },
] as const;

const POPULATIONS = ['shared', 'per-domain'] as const;

/** How often {@link trainOnBoth} calls `advance`. */
export function stepsOfBoth({ steps }: Settings): number {
  return TRAININGS.length * (steps + POPULATIONS.length);
}

/** Trains on both styles in each way, and measures on both under each kind of population statistics. */
export async function trainOnBoth(
  styles: Readonly<Record<Style, LabeledImages>>,
  split: SymbolSplit,
  seed: number,
  settings: Settings,
  context: SeedContext,
): Promise<(BothStylesRow | DistanceRow)[]> {
  const pictures = STYLES.map((style) => subset(styles[style], split.train));
  const tests = STYLES.map((style) => [style, subset(styles[style], split.test)] as const);
  const rows: (BothStylesRow | DistanceRow)[] = [];
  for (const { train: sharing, affine } of TRAININGS) {
    const trained = await train(pictures, { train: sharing, affine }, seed, settings, context);
    try {
      for (const population of POPULATIONS) {
        const model = network({ train: sharing, population, affine }, pictures[0]!, seed, settings);
        try {
          copyTrainedWeights(trained, model);
          await useMixedPopulation(model, pictures, settings.batch, context.signal);
          for (const [tested, test] of tests) {
            const error = await withDomain(model, tested, () => errorRate(model, test, settings.batch));
            rows.push({ part: 'both styles', seed, train: sharing, population, affine, tested, error });
          }
          if (sharing === 'shared' && population === 'per-domain') {
            rows.push({ part: 'distance', seed, trained: 'both', shift: await distance(model) });
          }
        } finally {
          model.dispose();
        }
        context.advance(`seed ${seed}, ${population} population`);
      }
    } finally {
      trained.dispose();
    }
  }
  return rows;
}

interface Sharings {
  readonly train: Sharing;
  readonly population: Sharing;
  readonly affine: Sharing;
}

function network(
  { affine, ...statistics }: Sharings,
  { shape: inputShape, classes }: LabeledImages,
  seed: number,
  { blocks }: Settings,
): tfl.Sequential {
  return buildNetwork({
    seed,
    momentum: 0,
    blocks,
    inputShape,
    classes,
    normalization: (config) => domainBatchNormalization({ ...config, domains: STYLES, statistics, affine }),
  });
}

/** A trained network; which population statistics it could keep makes no difference to training. */
async function train(
  pictures: readonly LabeledImages[],
  sharings: Pick<Sharings, 'train' | 'affine'>,
  seed: number,
  settings: Settings,
  context: SeedContext,
): Promise<tfl.Sequential> {
  const { copies, shift, batch } = settings;
  const [first, second] = pictures.map((images) => augment(images, { copies, shift, seed }));
  const model = network({ ...sharings, population: 'shared' }, first!, seed, settings);
  const options = { seed, ...settings, batches: mixedBatches(first!.size, batch / 2, seed) };
  const what = `seed ${seed}, training on both, ${sharings.train} statistics`;
  const numbers = styleNumbers(batch);
  try {
    await withDomain(model, numbers, () =>
      trainWithCosine(model, inOneSet(first!, second!), options, context, what),
    );
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    numbers.dispose();
  }
}

/** The number of each sample's style in a batch of {@link mixedBatches}. */
function styleNumbers(batch: number): tf.Tensor1D {
  return tf.tensor1d(
    Array.from({ length: batch }, (_, i) => (i < batch / 2 ? 0 : 1)),
    'int32',
  );
}

/**
 * PreciseBN on batches of both styles. The forward is that of training, so that a layer measures what training showed it
 * and the two kinds of population differ in nothing but what is averaged.
 */
async function useMixedPopulation(
  model: tfl.Sequential,
  pictures: readonly LabeledImages[],
  batch: number,
  signal: AbortSignal,
): Promise<void> {
  const [first, second] = pictures;
  const inputs = new ImageBatches(inOneSet(first!, second!), inMixedOrder(first!.size, batch / 2), batch);
  const numbers = styleNumbers(batch);
  try {
    const { statistics } = await withDomain(model, numbers, () =>
      estimateStatistics(model, inputs, { mode: 'batch', samples: 'all', signal }),
    );
    applyStatistics(model, statistics);
  } finally {
    numbers.dispose();
  }
}

/** How far the statistics of the second style are from those of the first, in a model that keeps both. */
async function distance(model: tfl.Sequential): Promise<number> {
  const statistics = await captureStatistics(model);
  const [first, second] = STYLES.map((style) => ofStyle(statistics, style));
  return diffStatistics(first!, second!).worst.shift.mean.rms;
}

/** The statistics of one style, under the names of the layers that keep them: `layer/style`. */
function ofStyle(statistics: ModelStatistics, style: Style): ModelStatistics {
  const suffix = `/${style}`;
  return statistics
    .filter(({ name }) => name.endsWith(suffix))
    .map((layer) => ({ ...layer, name: layer.name.slice(0, -suffix.length) }));
}
