// A model's population statistics as a value: taken out, kept, and put back in one atomic write.
import { type ChannelMoments, readMoments } from '@rebatch/core';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { StatisticsError } from '../errors.ts';
import { type AnyModel, modelOf } from '../model-of.ts';
import type { NormalizedModel } from '../normalized-model.ts';
import { isAsCaptured, remember } from './captured.ts';
import { unusable } from './unusable.ts';

/** The population statistics of one site, one value per channel. Moments are statistics, too. */
export interface LayerStatistics {
  /** The name of the site: of its layer, in a tf.layers model. */
  readonly name: string;
  /** A list or a typed array. */
  readonly mean: ArrayLike<number>;
  /** Biased, as the layer's `moving_variance`. A list or a typed array. */
  readonly variance: ArrayLike<number>;
}

/** One entry per site, in the model's order. */
export type ModelStatistics = readonly LayerStatistics[];

/**
 * The population statistics that a model has now, bit by bit; `applyStatistics` puts them back, whatever they are, as long
 * as these very arrays are unchanged. The arrays are copies.
 *
 * @throws (rejects) {NoBatchNormError} if the model has no batch normalization layer or is not built; {NotAModelError}
 *   for anything that is no model.
 */
export async function captureStatistics(model: AnyModel): Promise<ModelStatistics> {
  return readStatistics(modelOf('captureStatistics', model));
}

/** The same of a model behind the interface, as float64 values. */
export async function readStatistics(
  model: NormalizedModel,
): Promise<{ name: string; mean: Float64Array; variance: Float64Array }[]> {
  const read = await readMoments(model.stored());
  return model.sites.map(({ name }, i) => {
    const { mean, variance } = read[i]![0]!;
    remember(mean);
    remember(variance);
    return { name, mean, variance };
  });
}

/**
 * Throws unless the model can run on these statistics; it stays as it is.
 *
 * @param undo whether values that were read from a model may be anything.
 * @throws {StatisticsError} as `applyStatistics`.
 */
export function checkStatistics(model: NormalizedModel, statistics: ModelStatistics, undo = false): void {
  const { sites } = model;
  if (!Array.isArray(statistics)) {
    throw new StatisticsError(
      `Expected statistics as a list of {name, mean, variance}, one for each of ${sites.length} batch normalization ` +
        `layers, got ${shown(statistics)}. captureStatistics gives such a list.`,
    );
  }
  if (statistics.length !== sites.length) {
    throw new StatisticsError(
      `Expected statistics for ${sites.length} batch normalization layers ` +
        `(${sites.map(({ name }) => name).join(', ')}), got ${statistics.length}.`,
    );
  }
  for (const [i, site] of sites.entries()) {
    const entry: unknown = statistics[i];
    const { name, mean, variance } = (entry ?? {}) as Partial<LayerStatistics>;
    if (name !== site.name) {
      const came = typeof name === 'string' ? `those of '${name}'` : shown(entry);
      throw new StatisticsError(
        `Entry ${i}: expected the statistics of layer '${site.name}', got ${came}. ` +
          'Use statistics of a model with the same layers.',
      );
    }
    const flaw = unusable(mean, variance, site.channels, site.epsilon);
    if (flaw === undefined) continue;
    const fits = mean?.length === site.channels && variance?.length === site.channels;
    if (undo && fits && isAsCaptured(mean) && isAsCaptured(variance)) continue;
    const least = site.epsilon > 0 ? '>= 0' : '> 0, since the layer adds no epsilon,';
    throw new StatisticsError(
      `Layer '${name}': expected a finite mean and a finite variance ${least} per channel, got ${flaw}.`,
    );
  }
}

/**
 * Writes population statistics into a model, all sites or none: everything is checked first, and a write that fails
 * undoes those before it. Values are rounded to float32. Synchronous.
 *
 * What `captureStatistics` gave goes back bit by bit, NaN and negative variances too, as long as its arrays are unchanged.
 * All else must be numbers that the site can run on: a variance that rounding has left slightly below 0 is one if it is not
 * once the site's epsilon is added, and 0 is none for a site without an epsilon, such as a folded one.
 *
 * @throws {StatisticsError} unless there is one entry for each site, in the model's order and with its name, with a
 *   finite mean and a finite variance per channel that is above 0 with the epsilon, in arrays. Nothing is converted: null, a text, or a list in the
 *   place of a number is refused.
 * @throws {NoBatchNormError} if the model has no batch normalization layer or is not built. {NotAModelError} for anything
 *   that is no model.
 */
export function applyStatistics(model: AnyModel, statistics: ModelStatistics): void {
  const subject = modelOf('applyStatistics', model);
  checkStatistics(subject, statistics, true);
  writeStatistics(subject, statistics);
}

/** The atomic write itself, of values that are known to fit; undefined leaves a site as it is. */
export function writeStatistics(
  model: NormalizedModel,
  statistics: readonly (Omit<LayerStatistics, 'name'> | undefined)[],
): void {
  withDeviceStatistics(statistics, (fresh) => model.store(fresh));
}

/** Runs a synchronous function with statistics on the device, [channels] each; they are gone when it returns. */
export function withDeviceStatistics<T>(
  statistics: readonly (Omit<LayerStatistics, 'name'> | undefined)[],
  use: (fresh: readonly (ChannelMoments | undefined)[]) => T,
): T {
  const fresh: tf.Tensor[] = [];
  const upload = (values: ArrayLike<number>) => {
    fresh.push(tf.tensor1d(new Float32Array(values)));
    return fresh.at(-1)!;
  };
  try {
    return use(statistics.map((own) => own && { mean: upload(own.mean), variance: upload(own.variance) }));
  } finally {
    tf.dispose(fresh);
  }
}
