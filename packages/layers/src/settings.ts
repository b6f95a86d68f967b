// What our layer can be told beyond the stock layer's configuration. The settings lie beside the layers, not in them:
// a layer that `convert` adopted has run no constructor of ours, and has the defaults.
import { InvalidInputError } from '@rebatch/core';
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
   * How many consecutive samples share one set of moments wherever batch statistics are used (Ghost BN, Hoffer et al.
   * 2017). Samples left over form a smaller normalization batch of their own; only if that would have a single value
   * per channel, they join the one before. Default: the whole batch.
   */
  readonly normalizationBatchSize: number | undefined;
  /** As `freezeBatchNorm` sets it: population statistics in training and inference, whatever else is set. */
  readonly frozen: { readonly affine: FrozenAffine } | undefined;
}

const DEFAULTS: StatisticsSettings = {
  trainingStatistics: 'batch',
  inferenceStatistics: 'population',
  normalizationBatchSize: undefined,
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
    CHECKS[key](layer, value, key);
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

type Check = (layer: Pick<BatchNormLayer, 'name'>, value: unknown, key: string) => void;

const checkStatistics: Check = ({ name }, value, key) => {
  checkStatisticsName(value, `Layer '${name}': expected ${key}`);
};

const CHECKS: Record<keyof StatisticsSettings, Check> = {
  trainingStatistics: checkStatistics,
  inferenceStatistics: checkStatistics,
  normalizationBatchSize: ({ name }, value) => checkBatchSize(value, `Layer '${name}': expected`),
  frozen: ({ name }, value) => {
    if (value === undefined) return;
    checkFrozenAffine((value as { affine?: unknown }).affine, `Layer '${name}': expected frozen.affine`);
  },
};

/** Throws unless the value is a size of normalization batches, or undefined; the message starts with `expected`. */
export function checkBatchSize(value: unknown, expected: string): asserts value is number | undefined {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= 1)) return;
  throw new InvalidInputError(
    `${expected} normalizationBatchSize to be a whole number of at least 1, got ${JSON.stringify(value) ?? value}.`,
  );
}

/** Throws unless the value names statistics; the message starts with `expected`. */
export function checkStatisticsName(value: unknown, expected: string): asserts value is Statistics {
  if (value === 'batch' || value === 'population') return;
  throw new InvalidInputError(`${expected} to be 'batch' or 'population', got ${JSON.stringify(value)}.`);
}

/** Throws unless the value says how to freeze gamma and beta; the message starts with `expected`. */
export function checkFrozenAffine(value: unknown, expected: string): asserts value is FrozenAffine {
  if (value === 'fixed' || value === 'trainable') return;
  throw new InvalidInputError(`${expected} to be 'fixed' or 'trainable', got ${JSON.stringify(value)}.`);
}
