// Computes statistics from some images, and compares them with the old ones on other images.

import {
  applyStatistics,
  captureStatistics,
  estimateStatistics,
  type LayerStatistics,
  type ModelStatistics,
} from '@rebatch/recalibrate';
import { type MeanAndVariance, normalizedShift } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { Run } from '../../../lab/task.ts';
import { batchesOf, type ImageSet, inputsOf, shuffled } from '../images/image-set.ts';
import type { LayerComparison, Repair, RepairOptions, Scaling } from '../settings.ts';
import { type ImageModel, outputOf, sitesOf } from './image-model.ts';
import { checkBatch, mostAtOnce } from './memory.ts';

/** Below so many images none are held out: statistics need them all. */
const FEWEST_TO_SPLIT = 16;

/** Below so many, whose values may be alike, the statistics are those of these images, and of few others. */
export const FEW = 64;
export const fewImages = (count: number) =>
  `The new statistics are of ${count} images, which is not many: bring a few hundred, of every kind that the model meets.`;

/** Which images the statistics are from, and which ones they are compared on. */
export function splitImages(count: number): { readonly own: number[]; readonly held: number[] } {
  const order = shuffled(count);
  if (count < FEWEST_TO_SPLIT) return { own: order, held: order };
  const cut = Math.floor(count / 4);
  return { own: order.slice(cut), held: order.slice(0, cut) };
}

/**
 * Recomputes the statistics, starting from the original ones, and leaves the model on the new ones.
 *
 * @throws (rejects) a `FileProblem` if a batch takes too much memory, what `estimateStatistics` does, or the signal's reason; the model's statistics are then as before.
 */
export async function repair(
  model: ImageModel,
  original: ModelStatistics,
  images: ImageSet,
  options: RepairOptions,
  run: Pick<Run<unknown, unknown>, 'signal' | 'progress' | 'breathe'>,
): Promise<Repair> {
  const { mode, prior, scaling } = options;
  checkBatch(model, images.size, options.batchSize);
  const before = await captureStatistics(model);
  const { own, held } = splitImages(images.count);
  const samples = Math.min(options.samples, own.length);
  // What a batch is does not matter layer by layer; a single one takes a single forward.
  const atOnce = mode === 'layerwise' && Math.max(samples, held.length) <= mostAtOnce(model, images.size);
  const estimate = async (indices: readonly number[], what: string, blended: number) => {
    const whole = atOnce ? [inputsOf(images, indices, scaling)] : undefined;
    try {
      return await estimateStatistics(
        model,
        whole ?? batchesOf(images, indices, { ...options, labels: false }),
        {
          mode,
          prior: blended,
          signal: run.signal,
          onProgress: ({ pass, passes, samples: done }) =>
            run.progress(
              (pass - 1) * indices.length + done,
              passes * indices.length,
              `${what}, pass ${pass} of ${passes}`,
            ),
        },
      );
    } finally {
      tf.dispose(whole ?? []);
    }
  };
  const error = async () => {
    const labeled = options.labels && images.classes !== undefined;
    return labeled ? errorRate(model, images, held, scaling, run) : undefined;
  };
  try {
    applyStatistics(model, original);
    const errorBefore = await error();
    const { statistics, report } = await estimate(own.slice(0, samples), 'measuring the images', prior);
    const reference = await estimate(held, 'comparing with those held out', 0);
    applyStatistics(model, statistics);
    const errorAfter = await error();
    const layers = sitesOf(model).map(({ name, epsilon }, i) =>
      compare(name, epsilon, reference.statistics[i]!, original[i]!, statistics[i]!),
    );
    // That a single batch says nothing of its own uncertainty is our doing, not the visitor's.
    const warnings = !atOnce ? report.warnings : samples < FEW ? [fewImages(samples)] : [];
    const errors =
      errorBefore === undefined || errorAfter === undefined
        ? null
        : { before: errorBefore, after: errorAfter };
    return {
      mode,
      samples,
      prior,
      held: held.length,
      apart: own !== held,
      layers,
      warnings,
      errors,
    };
  } catch (thrown) {
    applyStatistics(model, before);
    throw thrown;
  }
}

function compare(
  name: string,
  epsilon: number,
  reference: LayerStatistics,
  before: LayerStatistics,
  after: LayerStatistics,
): LayerComparison {
  const options = epsilon > 0 ? { epsilon } : {};
  const [old, fresh] = [before, after].map((one) =>
    normalizedShift(inFloat64(reference), inFloat64(one), options),
  );
  return {
    name,
    before: old!.mean.map(Math.abs),
    after: fresh!.mean.map(Math.abs),
    variances: { before: rootMeanSquare(old!.variance), after: rootMeanSquare(fresh!.variance) },
  };
}

function inFloat64({ mean, variance }: LayerStatistics): MeanAndVariance {
  return { mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
}

const rootMeanSquare = (values: Float64Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** The share of these images that the model gets wrong. A single output unit is the probability of class 1. */
export async function errorRate(
  model: ImageModel,
  images: ImageSet,
  indices: readonly number[],
  scaling: Scaling,
  run: Pick<Run<unknown, unknown>, 'breathe'>,
): Promise<number> {
  const classes = images.classes as Int32Array;
  const atOnce = Math.min(BATCH, mostAtOnce(model, images.size));
  let wrong = 0;
  for (let from = 0; from < indices.length; from += atOnce) {
    await run.breathe();
    const batch = indices.slice(from, from + atOnce);
    const predicted = tf.tidy(() => {
      const output = outputOf(model, inputsOf(images, batch, scaling));
      return output.shape.at(-1) === 1 ? tf.cast(tf.greater(output, 0.5), 'int32') : tf.argMax(output, -1);
    });
    try {
      const values = await predicted.data();
      batch.forEach((index, i) => {
        if (values[i] !== classes[index]) wrong++;
      });
    } finally {
      predicted.dispose();
    }
  }
  return wrong / indices.length;
}

const BATCH = 32;
