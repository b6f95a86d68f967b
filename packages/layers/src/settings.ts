// What our layer can be told beyond the stock layer's configuration. The settings lie beside the layers, not in them:
// a layer that `convert` adopted has run no constructor of ours, and has the defaults.
import { InvalidInputError } from '@rebatch/core';
import { checkValue, integer, oneOf, type Rule } from '@rebatch/stats/~internal';
import type { BatchNormLayer } from './stock.ts';

/**
 * Whose moments normalize: those of the normalization batch at hand, or the moving (population) statistics
 * ("Rethinking 'Batch' in BatchNorm", section 4).
 */
export type Statistics = 'batch' | 'population';

/** How a frozen layer treats gamma and beta: as constants, or as weights that are still trained. */
export type FrozenAffine = 'fixed' | 'trainable';

/** The settings of our layer, all optional in a configuration. */
export interface StatisticsSettings {
  /** What normalizes in training. `'population'` also leaves the moving statistics as they are. Default `'batch'`. */
  readonly trainingStatistics: Statistics;
  /** What normalizes in inference. `'batch'` needs batches as in training. Default `'population'`. */
  readonly inferenceStatistics: Statistics;
  /**
   * How many samples share one set of moments wherever batch statistics are used (Ghost BN, Hoffer et al.
   * 2017). Samples left over form a smaller normalization batch of their own; only if that would have a single value
   * per channel, they join the one before. Default: the whole batch.
   */
  readonly normalizationBatchSize: number | undefined;
  /**
   * Which samples those are: `'consecutive'` ones (default), or `'strided'`, every so many-th, so that each normalization
   * batch takes some of every run of samples. That is how Keras splits a batch by its `virtual_batch_size`.
   */
  readonly normalizationBatchOrder: 'consecutive' | 'strided';
  /**
   * What to do where a normalization batch has a single value per channel, such as one image of 1x1: `'throw'` (default), or
   * `'normalize'` it all the same, as TensorFlow does. The output then is beta, whatever the input, and a training step
   * moves the moving variance towards 0.
   */
  readonly singleValue: 'throw' | 'normalize';
  /** As `freezeBatchNorm` sets it: population statistics in training and inference, whatever else is set. */
  readonly frozen: { readonly affine: FrozenAffine } | undefined;
}

const DEFAULTS: StatisticsSettings = {
  trainingStatistics: 'batch',
  inferenceStatistics: 'population',
  normalizationBatchSize: undefined,
  normalizationBatchOrder: 'consecutive',
  singleValue: 'throw',
  frozen: undefined,
};

const stored = new WeakMap<object, StatisticsSettings>();

/** The settings of a layer; the defaults for a stock layer. */
export function settingsOf(layer: object): StatisticsSettings {
  return stored.get(layer) ?? DEFAULTS;
}

/**
 * Changes some settings of a layer; undefined and null stand for the default.
 *
 * @throws {InvalidInputError} for a value that a setting cannot have. Nothing is changed then.
 */
export function changeSettings(
  layer: Pick<BatchNormLayer, 'name'>,
  changes: { readonly [K in keyof StatisticsSettings]?: StatisticsSettings[K] | null | undefined },
): void {
  const next = { ...settingsOf(layer) } as Record<string, unknown>;
  for (const key of Object.keys(DEFAULTS) as (keyof StatisticsSettings)[]) {
    if (!(key in changes)) continue;
    const value = changes[key] ?? DEFAULTS[key];
    if (value !== undefined) checkValue(`Layer '${layer.name}'`, key, value, RULES[key], InvalidInputError);
    // What the caller holds may change later.
    next[key] = copied(value);
  }
  stored.set(layer, next as unknown as StatisticsSettings);
}

/** Runs a synchronous function while some settings of a layer are changed. They are as before when it returns. */
export function withSettings<T>(
  layer: Pick<BatchNormLayer, 'name'>,
  changes: Parameters<typeof changeSettings>[1],
  fn: () => T,
): T {
  const before = stored.get(layer);
  changeSettings(layer, changes);
  try {
    return fn();
  } finally {
    if (before === undefined) stored.delete(layer);
    else stored.set(layer, before);
  }
}

/** The settings that differ from the defaults, as they are saved. Empty where the stock layer would do. */
export function savedSettings(layer: object): Partial<StatisticsSettings> {
  const entries = Object.entries(settingsOf(layer));
  return Object.fromEntries(
    entries
      .filter(([key, value]) => value !== DEFAULTS[key as keyof typeof DEFAULTS])
      .map(([key, value]) => [key, copied(value)]),
  );
}

/** Settings are plain values, but for `frozen`. */
function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { affine } = value as NonNullable<StatisticsSettings['frozen']>;
  return { affine };
}

/** What names statistics. */
export const statisticsName = oneOf('batch', 'population');

/** How many samples share one set of moments. */
export const batchSize = integer({ least: 1 });

/** What to do with single values. */
export const singleValueChoice = oneOf('throw', 'normalize');

/** How to freeze gamma and beta. */
export const frozenAffine = oneOf('fixed', 'trainable');

const RULES: { readonly [K in keyof StatisticsSettings]: Rule } = {
  trainingStatistics: statisticsName,
  inferenceStatistics: statisticsName,
  normalizationBatchSize: batchSize,
  normalizationBatchOrder: oneOf('consecutive', 'strided'),
  singleValue: singleValueChoice,
  frozen: {
    expected: ["{ affine: 'fixed' }", "{ affine: 'trainable' }"],
    allows: (value) => frozenAffine.allows((value as { affine?: unknown }).affine),
  },
};

/** The names of all settings. */
export const SETTINGS: readonly string[] = Object.keys(RULES);
