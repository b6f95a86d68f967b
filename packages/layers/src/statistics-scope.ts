// Choosing what normalizes in inference for a while, on layers that may be stock.
import { InvalidInputError, normalize } from '@rebatch/core';
import { checkOptions, checkValue } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from './batch-norm-layers.ts';
import { BatchNormalization } from './batch-normalization.ts';
import { refuseDerived } from './derived.ts';
import { floatInput, normalizeByBatch, normalizeOptions } from './layer-math.ts';
import { type ChooseBatches, consecutiveBatches } from './normalization-batches.ts';
import { createScopes } from './scopes.ts';
import { batchSize, type Statistics, singleValueChoice, statisticsName, withSettings } from './settings.ts';
import { type StandIn, standIn } from './stand-in.ts';
import type { BatchNormLayer } from './stock.ts';

/** What a scope may say beside whose statistics it is. */
export interface StatisticsScopeOptions {
  /**
   * Under `'batch'`, how many consecutive samples share one set of moments, whatever the layers' own setting; the batch of
   * the prediction then only has to be a multiple of it. Default: as each layer is set.
   */
  readonly normalizationBatchSize?: number;
  /**
   * Under `'batch'`, what to do where a channel has a single value: `'throw'`, or `'normalize'` it to beta as TensorFlow
   * does. Default: as each layer is set.
   */
  readonly singleValue?: 'throw' | 'normalize';
}

const OPTIONS = { normalizationBatchSize: batchSize, singleValue: singleValueChoice };

interface Choice extends StatisticsScopeOptions {
  readonly of: Statistics;
}

// Nothing is written under these scopes: where overlapping ones cannot be told apart, the one entered last holds.
const scopes = createScopes<Choice>({ whenUnclear: (_layer, waiting) => waiting.at(-1)! });

/** The layers that are in a scope, in how many, and what takes each out of all. */
const entered = new WeakMap<BatchNormLayer, { scopes: number; readonly leave: () => void }>();

/**
 * Runs `fn`; until it returns (or its promise settles), inference of all batch normalization layers of a model uses the
 * given statistics: `withStatistics` of `@rebatch/models`, which has the documentation, for tf.layers.
 */
export function withLayerStatistics<T>(
  model: tfl.layers.Layer,
  statistics: Statistics,
  fn: () => T,
  options: StatisticsScopeOptions = {},
): T {
  checkValue('withStatistics', 'statistics', statistics, statisticsName, InvalidInputError);
  checkOptions('withStatistics', options, OPTIONS, InvalidInputError);
  const layers = batchNormLayers(model);
  if (statistics === 'batch') refuseDerived('withStatistics', model, layers);
  for (const layer of layers) enter(layer);
  const leaveAll = () => {
    for (const layer of layers) leave(layer);
  };
  let result: T;
  try {
    result = scopes.run(layers, { of: statistics, ...options }, fn);
  } catch (error) {
    leaveAll();
    throw error;
  }
  if (result instanceof Promise) return result.finally(leaveAll) as T;
  leaveAll();
  return result;
}

function enter(layer: BatchNormLayer): void {
  const known = entered.get(layer) ?? { scopes: 0, leave: standIn(layer, inScope(layer)) };
  known.scopes += 1;
  entered.set(layer, known);
}

/** Scopes may end in another order than they began in, if they are asynchronous. */
function leave(layer: BatchNormLayer): void {
  const known = entered.get(layer)!;
  known.scopes -= 1;
  if (known.scopes > 0) return;
  entered.delete(layer);
  known.leave();
}

function inScope(layer: BatchNormLayer): StandIn {
  return (original, inputs, kwargs) => {
    const choice = kwargs?.training === true ? undefined : scopes.innermost(layer);
    if (choice === undefined) return original(inputs, kwargs);
    const { of, normalizationBatchSize, singleValue } = choice;
    if (layer instanceof BatchNormalization) {
      // By its own call, which may be that of a derived class. Batch statistics hold over a frozen layer, too.
      const split = { normalizationBatchSize, normalizationBatchOrder: 'consecutive' as const };
      const byBatch = {
        frozen: undefined,
        ...(normalizationBatchSize !== undefined && split),
        ...(singleValue !== undefined && { singleValue }),
      };
      const changes = { inferenceStatistics: of, ...(of === 'batch' && byBatch) };
      return withSettings(layer, changes, () => original(inputs, kwargs));
    }
    // Population statistics are what a stock layer infers by itself.
    if (of === 'population') return original(inputs, kwargs);
    return tf.tidy(() => {
      const x = floatInput(layer, inputs);
      if (kwargs?.batchMoments !== undefined)
        return normalize(x, kwargs.batchMoments, normalizeOptions(layer));
      const choose: ChooseBatches = (samples, valuesPerSample) =>
        consecutiveBatches(samples, normalizationBatchSize, valuesPerSample);
      return normalizeByBatch(layer, x, choose, { singleValue }).y;
    });
  };
}
