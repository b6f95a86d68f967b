// A network that is trained on one style, and run on the other.

import { type LabeledImages, subset } from '@rebatch/digits';
import { adapt, applyStatistics, captureStatistics, diffStatistics } from '@rebatch/domains';
import type * as tfl from '@tensorflow/tfjs-layers';
import { augment } from '../augment.ts';
import type { SeedContext } from '../experiment.ts';
import { ImageBatches } from '../image-batches.ts';
import { buildNetwork, errorRate } from '../network.ts';
import { usePopulation } from '../population.ts';
import { sampleIndices } from '../shuffle.ts';
import { mean } from '../summary.ts';
import { cosineDecay, Training } from '../training.ts';
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
  { blocks, copies, shift, batch, steps, learningRate }: Settings,
  context: SeedContext,
  style: Style,
): Promise<tfl.Sequential> {
  const { shape: inputShape, classes } = images;
  const model = buildNetwork({ seed, momentum: 0, blocks, inputShape, classes });
  const training = new Training(model, augment(images, { copies, shift, seed }), {
    seed,
    batch,
    learningRate,
  });
  try {
    for (let step = 0; step < steps; step++) {
      training.setLearningRate(cosineDecay(learningRate, step, steps));
      await training.step(context, `seed ${seed}, training on ${style}`);
    }
    const { signal } = context;
    await usePopulation(model, images, { seed, samples: images.size, batch, mode: 'layerwise', signal });
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    training.dispose();
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
