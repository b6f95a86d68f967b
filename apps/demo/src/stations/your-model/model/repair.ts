// Statistics from some images, compared with the old ones on others.
import {
  applyStatistics,
  captureStatistics,
  estimateStatistics,
  findBatchNormLayers,
  type LayerStatistics,
  type ModelStatistics,
} from '@rebatch/recalibrate';
import { normalizedShift } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Run } from '../../../lab/task.ts';
import { batchesOf, type ImageSet, inputsOf, shuffled } from '../images/image-set.ts';
import type { LayerComparison, Repair, RepairOptions, Scaling } from '../settings.ts';

/** Below so many images none are held out: statistics need them all. */
const FEWEST_TO_SPLIT = 16;

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
 * @throws (rejects) what `estimateStatistics` does, or the signal's reason; the model's statistics are then as before.
 */
export async function repair(
  model: tfl.LayersModel,
  original: ModelStatistics,
  images: ImageSet,
  options: RepairOptions,
  run: Pick<Run<unknown, unknown>, 'signal' | 'progress' | 'breathe'>,
): Promise<Repair> {
  const { mode, prior, scaling } = options;
  const before = await captureStatistics(model);
  const { own, held } = splitImages(images.count);
  const samples = Math.min(options.samples, own.length);
  const batches = (indices: readonly number[]) => batchesOf(images, indices, { ...options, labels: false });
  const estimate = (indices: readonly number[], what: string, blended: number) =>
    estimateStatistics(model, batches(indices), {
      mode,
      prior: blended,
      signal: run.signal,
      onProgress: ({ pass, passes, samples: done }) =>
        run.progress(
          (pass - 1) * indices.length + done,
          passes * indices.length,
          `${what}, pass ${pass} of ${passes}`,
        ),
    });
  const error = async () => {
    const labeled = options.labels && images.classes !== undefined;
    return labeled ? errorRate(model, images, held, scaling, run) : undefined;
  };
  try {
    applyStatistics(model, original);
    const errorBefore = await error();
    const { statistics } = await estimate(own.slice(0, samples), 'measuring the images', prior);
    const reference = await estimate(held, 'comparing with those held out', 0);
    applyStatistics(model, statistics);
    const errorAfter = await error();
    const layers = findBatchNormLayers(model).map(({ name, epsilon }, i) =>
      compare(name, epsilon, reference.statistics[i]!, original[i]!, statistics[i]!),
    );
    const errors =
      errorBefore === undefined || errorAfter === undefined
        ? null
        : { before: errorBefore, after: errorAfter };
    return { mode, samples, prior, held: held.length, apart: own !== held, layers, errors };
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
    normalizedShift(momentsOf(reference), momentsOf(one), options),
  );
  return {
    name,
    before: old!.mean.map(Math.abs),
    after: fresh!.mean.map(Math.abs),
    variances: { before: rootMeanSquare(old!.variance), after: rootMeanSquare(fresh!.variance) },
  };
}

function momentsOf({ mean, variance }: LayerStatistics) {
  return { count: 1, mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
}

const rootMeanSquare = (values: Float64Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** The share of these images that the model gets wrong. A single output unit is the probability of class 1. */
async function errorRate(
  model: tfl.LayersModel,
  images: ImageSet,
  indices: readonly number[],
  scaling: Scaling,
  run: Pick<Run<unknown, unknown>, 'breathe'>,
): Promise<number> {
  const classes = images.classes as Int32Array;
  let wrong = 0;
  for (let from = 0; from < indices.length; from += BATCH) {
    await run.breathe();
    const batch = indices.slice(from, from + BATCH);
    const predicted = tf.tidy(() => {
      const output = model.apply(inputsOf(images, batch, scaling), { training: false }) as tf.Tensor;
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
