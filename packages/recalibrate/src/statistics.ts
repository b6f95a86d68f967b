/** A model's population statistics as a value: taken out, kept, and put back in one atomic write. */
import { readMoments } from '@rebatch/core';
import type { BatchNormLayer } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { channelsOf, findBatchNormLayers } from './bn-layers.ts';
import { StatisticsError } from './errors.ts';
import { unusable } from './unusable.ts';

/** The population statistics of one layer, one value per channel. Moments are statistics, too. */
export interface LayerStatistics {
  /** The layer's name. */
  readonly name: string;
  readonly mean: ArrayLike<number>;
  /** Biased, as the layer's `moving_variance`. */
  readonly variance: ArrayLike<number>;
}

/** One entry per batch normalization layer, in the model's order. */
export type ModelStatistics = readonly LayerStatistics[];

/**
 * The population statistics that a model has now, bit by bit; `applyStatistics` puts them back. The arrays are copies.
 *
 * @throws {NoBatchNormError} (rejects) if the model has no batch normalization layer or is not built.
 */
export async function captureStatistics(model: tfl.LayersModel): Promise<ModelStatistics> {
  return readStatistics(findBatchNormLayers(model));
}

export async function readStatistics(layers: readonly BatchNormLayer[]) {
  const held = layers.map(({ movingMean, movingVariance }) => ({
    mean: movingMean.read(),
    variance: movingVariance.read(),
    count: 1,
  }));
  const read = await readMoments(held);
  return layers.map(({ name }, i) => ({ name, mean: read[i]![0]!.mean, variance: read[i]![0]!.variance }));
}

/**
 * Throws unless `applyStatistics` would take these statistics; the model stays as it is.
 *
 * @returns the layers that they are for, in their order.
 * @throws {StatisticsError} or {NoBatchNormError}, as `applyStatistics`.
 */
export function checkStatistics(model: tfl.LayersModel, statistics: ModelStatistics): BatchNormLayer[] {
  const layers = findBatchNormLayers(model);
  if (statistics.length !== layers.length) {
    throw new StatisticsError(
      `Expected statistics for ${layers.length} batch normalization layers ` +
        `(${layers.map(({ name }) => name).join(', ')}), got ${statistics.length}.`,
    );
  }
  for (const [i, layer] of layers.entries()) {
    const { name, mean, variance } = statistics[i]!;
    if (name !== layer.name) {
      throw new StatisticsError(
        `Entry ${i}: expected the statistics of layer '${layer.name}', got those of '${name}'. ` +
          'Use statistics of a model with the same layers.',
      );
    }
    const flaw = unusable(mean, variance, channelsOf(layer));
    if (flaw !== undefined) {
      throw new StatisticsError(
        `Layer '${name}': expected a finite mean and a finite variance >= 0 per channel, got ${flaw}.`,
      );
    }
  }
  return layers;
}

/**
 * Writes population statistics into a model, all layers or none: everything is checked first, and a write that fails
 * undoes those before it. Values are rounded to float32. Synchronous.
 *
 * @throws {StatisticsError} unless there is one entry for each batch normalization layer, in the model's order and
 *   with its name, with a finite mean and a finite variance >= 0 per channel.
 * @throws {NoBatchNormError} if the model has no batch normalization layer or is not built.
 */
export function applyStatistics(model: tfl.LayersModel, statistics: ModelStatistics): void {
  const layers = checkStatistics(model, statistics);
  writeStatistics(layers.map((layer, i) => ({ layer, statistics: statistics[i]! })));
}

/** The atomic write itself; the values are known to fit. */
export function writeStatistics(
  entries: readonly { readonly layer: BatchNormLayer; readonly statistics: Omit<LayerStatistics, 'name'> }[],
): void {
  const fresh: tf.Tensor[] = [];
  const before: tf.Tensor[] = [];
  const variables = entries.flatMap(({ layer }) => [layer.movingMean, layer.movingVariance]);
  const values = entries.flatMap(({ statistics }) => [statistics.mean, statistics.variance]);
  try {
    for (const [i, variable] of variables.entries()) {
      fresh.push(tf.tensor1d(Float32Array.from(values[i]!)));
      before.push(tf.clone(variable.read()));
    }
    let written = 0;
    try {
      for (const variable of variables) variable.write(fresh[written++]!);
    } catch (error) {
      for (let i = 0; i < written; i++) {
        if (!variables[i]!.read().isDisposed) variables[i]!.write(before[i]!);
      }
      throw error;
    }
  } finally {
    tf.dispose([...fresh, ...before]);
  }
}
