// Choosing what normalizes in inference for a while, on models that may be stock.
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchNormLayers } from './batch-norm-layers.ts';
import { normalizeByBatch, normalizeByPopulation } from './layer-math.ts';
import { checkStatisticsName, type Statistics } from './settings.ts';
import { shadowCall } from './shadow.ts';
import { type BatchNormLayer, isStock } from './stock.ts';

/** The scopes that a layer is in, the innermost last, and what takes it out of all of them. */
interface Scoped {
  readonly statistics: { readonly of: Statistics }[];
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
 * Scopes nest, and the innermost holds; where asynchronous ones overlap, the one entered last.
 *
 * @param model any model, or a single layer.
 * @param fn synchronous or asynchronous. A generator outlives the scope; consume it inside.
 * @returns what `fn` returns.
 * @throws {InvalidInputError} if `statistics` is neither; what `fn` throws.
 */
export function withStatistics<T>(model: tfl.layers.Layer, statistics: Statistics, fn: () => T): T {
  checkStatisticsName(statistics, 'withStatistics: expected statistics');
  const layers = batchNormLayers(model);
  const scope = { of: statistics };
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

function enter(layer: BatchNormLayer, scope: { readonly of: Statistics }): void {
  const existing = scoped.get(layer);
  if (existing !== undefined) {
    existing.statistics.push(scope);
    return;
  }
  const statistics = [scope];
  const leave = shadowCall(layer, (original) => (inputs, kwargs) => {
    if (kwargs?.training === true) return original(inputs, kwargs);
    // Population statistics are what a stock layer infers by itself.
    const { of } = statistics.at(-1)!;
    if (of === 'population' && isStock(layer)) return original(inputs, kwargs);
    return infer(layer, of, inputs as tf.Tensor | tf.Tensor[]);
  });
  scoped.set(layer, { statistics, leave });
}

/** Scopes may end in another order than they began in, if they are asynchronous. */
function leave(layer: BatchNormLayer, scope: { readonly of: Statistics }): void {
  const { statistics, leave } = scoped.get(layer)!;
  statistics.splice(statistics.indexOf(scope), 1);
  if (statistics.length > 0) return;
  scoped.delete(layer);
  leave();
}

function infer(layer: BatchNormLayer, statistics: Statistics, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return tf.tidy(() =>
    statistics === 'batch' ? normalizeByBatch(layer, inputs).y : normalizeByPopulation(layer, inputs),
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
