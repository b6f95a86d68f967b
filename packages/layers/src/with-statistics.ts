// Choosing what normalizes in inference for a while, on models that may be stock.
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from './batch-norm-layers.ts';
import { BatchNormalization } from './batch-normalization.ts';
import { refuseDerived } from './derived.ts';
import { inferByBatch } from './layer-math.ts';
import { checkBatchSize, checkStatisticsName, type Statistics, withSettings } from './settings.ts';
import { shadowCall } from './shadow.ts';
import type { BatchNormLayer } from './stock.ts';

/** What a scope may say beside whose statistics it is. */
export interface StatisticsScopeOptions {
  /**
   * Under `'batch'`, how many consecutive samples share one set of moments, whatever the layers' own setting; the batch of
   * the prediction then only has to be a multiple of it. Default: as each layer is set.
   */
  readonly normalizationBatchSize?: number;
}

interface Scope extends StatisticsScopeOptions {
  readonly of: Statistics;
}

/** The scopes that a layer is in, the innermost last, and what takes it out of all of them. */
interface Scoped {
  readonly statistics: Scope[];
  readonly leave: () => void;
}

const scoped = new WeakMap<BatchNormLayer, Scoped>();

/**
 * Runs `fn`; until it returns (or its promise settles), inference of all batch normalization layers of the model, stock
 * ones too, uses the given statistics, whatever the layers' settings: `predict`, `evaluate`, `apply`, and a fit's
 * validation. Mini-batch statistics at inference are section 4.2 of "Rethinking 'Batch' in BatchNorm"; the batch size
 * of the prediction is then part of the model.
 *
 * Nothing of the model changes: moving statistics stay, training goes on as without, and stock layers are not converted.
 * A class that a user derived from the stock one infers by itself under `'population'`, and is refused under `'batch'`;
 * one derived from ours is told the statistics. Scopes nest, and the innermost holds; where asynchronous ones overlap, the one entered last.
 *
 * @param model any model, or a single layer.
 * @param fn synchronous or asynchronous. A generator outlives the scope; consume it inside.
 * @returns what `fn` returns.
 * @throws {InvalidInputError} if `statistics` is neither, `normalizationBatchSize` is not a whole number of at least 1, or `'batch'` and a layer's class was derived from the stock
 *   one by a user, so that it computes by itself; nothing has run then. What `fn` throws.
 */
export function withStatistics<T>(
  model: tfl.layers.Layer,
  statistics: Statistics,
  fn: () => T,
  options: StatisticsScopeOptions = {},
): T {
  checkStatisticsName(statistics, 'withStatistics: expected statistics');
  checkBatchSize(options.normalizationBatchSize, 'withStatistics: expected');
  const layers = batchNormLayers(model);
  if (statistics === 'batch') refuseDerived('withStatistics', model, layers);
  const scope = { of: statistics, ...options };
  for (const layer of layers) enter(layer, scope);
  const leaveAll = () => {
    for (const layer of layers) leave(layer, scope);
  };
  let result: T;
  try {
    result = fn();
  } catch (error) {
    leaveAll();
    throw error;
  }
  if (isThenable(result)) return Promise.resolve(result).finally(leaveAll) as T;
  leaveAll();
  return result;
}

function enter(layer: BatchNormLayer, scope: Scope): void {
  const existing = scoped.get(layer);
  if (existing !== undefined) {
    existing.statistics.push(scope);
    return;
  }
  const statistics = [scope];
  const leave = shadowCall(layer, (original) => (inputs, kwargs) => {
    if (kwargs?.training === true) return original(inputs, kwargs);
    const { of, normalizationBatchSize } = statistics.at(-1)!;
    const size = of === 'batch' && normalizationBatchSize !== undefined ? { normalizationBatchSize } : {};
    if (layer instanceof BatchNormalization) {
      // By its own call, which may be that of a derived class. Batch statistics hold over a frozen layer, too.
      const changes = { inferenceStatistics: of, ...(of === 'batch' ? { frozen: undefined } : {}), ...size };
      return withSettings(layer, changes, () => original(inputs, kwargs));
    }
    // Population statistics are what a stock layer infers by itself.
    if (of === 'population') return original(inputs, kwargs);
    const x = inputs as tf.Tensor | tf.Tensor[];
    return withSettings(layer, size, () => tf.tidy(() => inferByBatch(layer, x, kwargs?.batchMoments)));
  });
  scoped.set(layer, { statistics, leave });
}

/** Scopes may end in another order than they began in, if they are asynchronous. */
function leave(layer: BatchNormLayer, scope: Scope): void {
  const { statistics, leave } = scoped.get(layer)!;
  statistics.splice(statistics.indexOf(scope), 1);
  if (statistics.length > 0) return;
  scoped.delete(layer);
  leave();
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
