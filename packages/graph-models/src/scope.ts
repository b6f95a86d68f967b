// Whose statistics normalize in predictions, while a function runs.
import { InvalidInputError, type NormalizeOptions } from '@rebatch/core';
import type { Statistics } from '@rebatch/layers';
import {
  batchSize,
  consecutiveBatches,
  createScopes,
  normalizeInBatches,
  type StatisticsScopeOptions,
  singleValueChoice,
  statisticsName,
  valuesPerSample,
} from '@rebatch/layers/~internal';
import { checkOptions, checkValue } from '@rebatch/stats/~internal';
import type * as tf from '@tensorflow/tfjs-core';

const OPTIONS = { normalizationBatchSize: batchSize, singleValue: singleValueChoice };

interface Choice extends StatisticsScopeOptions {
  readonly of: Statistics;
}

// Nothing is written under these scopes: where overlapping ones cannot be told apart, the one entered last holds.
const scopes = createScopes<Choice>({ whenUnclear: (_model, waiting) => waiting.at(-1)! });

/** Runs `fn`, synchronous or not, with a choice of the statistics that normalize in predictions of the model. */
export function inScope<T>(model: object, of: Statistics, fn: () => T, options: StatisticsScopeOptions): T {
  checkValue('withStatistics', 'statistics', of, statisticsName, InvalidInputError);
  checkOptions('withStatistics', options, OPTIONS, InvalidInputError);
  return scopes.run([model], { of, ...options }, fn);
}

/** A site's input normalized by batch statistics; undefined unless the innermost scope says so. */
export function normalizedByBatch(
  model: object,
  x: tf.Tensor,
  options: NormalizeOptions & { readonly axis: number },
): tf.Tensor | undefined {
  const choice = scopes.innermost(model);
  if (choice?.of !== 'batch') return undefined;
  const perSample = valuesPerSample(x, options.axis);
  const batches = consecutiveBatches(x.shape[0]!, choice.normalizationBatchSize, perSample);
  return normalizeInBatches(x, batches, { ...options, singleValue: choice.singleValue }).y;
}
