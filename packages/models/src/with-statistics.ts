import { InvalidInputError, type Statistics } from '@rebatch/layers';
import { checkLayer, type StatisticsScopeOptions, withLayerStatistics } from '@rebatch/layers/~internal';
import { callable, checkValue } from '@rebatch/stats/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { isNormalizedModel, type NormalizedModel } from './normalized-model.ts';

/**
 * Runs `fn`; until it returns (or its promise settles), inference at all sites of the model, stock layers too, uses the
 * given statistics, whatever the layers' settings: `predict`, `evaluate`, `apply`, and a fit's validation. Mini-batch
 * statistics at inference are section 4.2 of "Rethinking 'Batch' in BatchNorm"; the batch size of the prediction is then
 * part of the model.
 *
 * Nothing of the model changes: moving statistics stay, training goes on as without, and stock layers are not converted.
 * A class that a user derived from the stock one infers by itself under `'population'`, and is refused under `'batch'`;
 * one derived from ours is told the statistics. Scopes nest, and the innermost holds. Asynchronous ones that overlap are
 * kept apart in Node, Bun and Deno; in browsers, where nothing tells them apart, the one entered last holds.
 *
 * @param model any model, or a single layer of tf.layers.
 * @param fn synchronous or asynchronous. A generator outlives the scope; consume it inside.
 * @returns what `fn` returns.
 * @throws {NotAModelError} for anything that is no model. {InvalidInputError} if `statistics` is neither,
 *   `fn` is no function, an option does not exist or is out of its range, or `'batch'` and a layer's class was derived from the stock one by a
 *   user, so that it computes by itself; nothing has run then. What `fn` throws.
 */
export function withStatistics<T>(
  model: tfl.layers.Layer | NormalizedModel,
  statistics: Statistics,
  fn: () => T,
  options: StatisticsScopeOptions = {},
): T {
  const isNormalized = isNormalizedModel(model);
  if (!isNormalized) checkLayer('withStatistics', model);
  checkValue('withStatistics', 'fn', fn, callable(), InvalidInputError);
  if (isNormalized) return model.withStatistics(statistics, fn, options);
  return withLayerStatistics(model, statistics, fn, options);
}
