// A network that is trained on one style, and run on the other.

import { adapt, applyStatistics, captureStatistics, diffStatistics } from '@rebatch/domains';
import { type LabeledImages, subset } from '@rebatch/images';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from '../../../experiment.ts';
import { mean } from '../../../rows/summary.ts';
import { ImageBatches } from '../../../training/image-batches.ts';
import { buildNetwork, errorRate } from '../../../training/network.ts';
import { usePopulation } from '../../../training/population.ts';
import { sampleIndices } from '../../../training/shuffle.ts';
import { trainWithCosine } from '../../../training/training.ts';
import { augment } from './augment.ts';
import { STYLES, type Style } from './packages.ts';
import type { DistanceRow, OneStyleRow, Settings } from './rows.ts';
import type { SymbolSplit } from './split.ts';

/** How often {@link trainOnOne} calls `advance`. */
export function stepsOfOne({ steps, samples, draws, priors }: Settings): number {
  return STYLES.length * (steps + priors.length * (samples.length * draws + 1));
}

/** Trains on each style, and measures on both. */
export async function trainOnOne(
  styles: Readonly<Record<Style, LabeledImages>>,
  split: SymbolSplit,
  seed: number,
  settings: Settings,
  context: SeedContext,
): Promise<(OneStyleRow | DistanceRow)[]> {
  const rows: (OneStyleRow | DistanceRow)[] = [];
  for (const trained of STYLES) {
    const model = await train(subset(styles[trained], split.train), seed, settings, context, trained);
    try {
      for (const tested of STYLES) {
        const error = await errorRate(model, subset(styles[tested], split.test), settings.batch);
        rows.push({ part: 'one style', seed, trained, tested, samples: 0, prior: 0, error });
      }
      const tested = STYLES.find((style) => style !== trained)!;
      const [target, test] = [subset(styles[tested], split.train), subset(styles[tested], split.test)];
      rows.push(...(await adaptations(model, { target, test, trained, tested }, seed, settings, context)));
    } finally {
      model.dispose();
    }
  }
  return rows;
}

/** A network trained on these images, and on the population statistics of them. */
async function train(
  images: LabeledImages,
  seed: number,
  settings: Settings,
  context: SeedContext,
  style: Style,
): Promise<tfl.Sequential> {
  const { shape: inputShape, classes } = images;
  const { blocks, copies, shift, batch } = settings;
  const model = buildNetwork({ seed, momentum: 0, blocks, inputShape, classes });
  const augmented = augment(images, { copies, shift, seed });
  try {
    await trainWithCosine(
      model,
      augmented,
      { seed, ...settings },
      context,
      `seed ${seed}, training on ${style}`,
    );
    const { signal } = context;
    await usePopulation(model, images, { seed, samples: images.size, batch, mode: 'layerwise', signal });
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

interface Transfer {
  /** Pictures to adapt to. */
  readonly target: LabeledImages;
  readonly test: LabeledImages;
  readonly trained: Style;
  readonly tested: Style;
}

/** The errors after adapting to so many pictures of the target; and how far all of them move the statistics. */
async function adaptations(
  model: tfl.Sequential,
  { target, test, trained, tested }: Transfer,
  seed: number,
  { batch, samples: numbers, draws, priors }: Settings,
  { signal, advance }: SeedContext,
): Promise<(OneStyleRow | DistanceRow)[]> {
  const source = await captureStatistics(model);
  const rows: (OneStyleRow | DistanceRow)[] = [];
  for (const samples of [...numbers, target.size]) {
    for (const prior of priors) {
      const errors: number[] = [];
      // There is one way to draw all of them.
      for (let draw = 0; draw < (samples < target.size ? draws : 1); draw++) {
        applyStatistics(model, source);
        const drawn = sampleIndices(target.size, samples, 1000 * seed + draw);
        await adapt(model, new ImageBatches(target, drawn, batch), { prior, samples: 'all', signal });
        errors.push(await errorRate(model, test, batch));
        advance(`seed ${seed}, from ${trained} to ${samples} pictures of ${tested}`);
      }
      rows.push({ part: 'one style', seed, trained, tested, samples, prior, error: mean(errors) });
      if (prior === 0 && samples === target.size) {
        const { worst } = diffStatistics(source, await captureStatistics(model));
        rows.push({ part: 'distance', seed, trained, shift: worst.shift.mean.rms });
      }
    }
  }
  return rows;
}
