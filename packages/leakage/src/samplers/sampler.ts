// What all samplers have in common.
import {
  anything,
  checkOptions,
  checkValue,
  integer,
  type OptionRules,
  required,
  shown,
} from '@rebatch/stats/~internal';
import { SamplerError } from '../errors.ts';

/** Endless batches of indices of samples; every batch is full. The same seed gives the same batches. */
export type Batches = Generator<number[], never, undefined>;

/** What every sampler is told. */
export interface SamplerOptions {
  /** Samples per batch. */
  readonly batchSize: number;
  /** A whole number. Default 0. */
  readonly seed?: number;
}

/** Labels or sources, one per sample: whatever can be told apart by `===`. */
export type Keys = ArrayLike<string | number>;

const whole = integer({ least: 1 });

const RULES = {
  samples: required(whole),
  batchSize: required(whole),
  seed: integer(),
  by: required(anything),
  groupSize: whole,
  most: required(whole),
};

/** @throws {SamplerError} for options that a sampler does not have, or that are not what they should be. */
export function checkSampler(
  sampler: string,
  options: SamplerOptions,
  ...own: readonly (keyof typeof RULES)[]
): void {
  const rules = [...own, 'batchSize' as const, 'seed' as const].map((name) => [name, RULES[name]] as const);
  checkOptions(sampler, options, Object.fromEntries(rules) as OptionRules<SamplerOptions>, SamplerError);
}

/** @throws {SamplerError} unless normalization batches of `groupSize` fill the batch. */
export function checkGroupSize(sampler: string, batchSize: number, groupSize: number): void {
  checkFits(sampler, 'groupSize', groupSize, batchSize);
  if (batchSize % groupSize === 0) return;
  throw new SamplerError(
    `${sampler}: expected batchSize to be a multiple of groupSize, got ${batchSize} and ${groupSize}.`,
  );
}

/** @throws {SamplerError} for a value that is larger than what it has to fit into. */
export function checkFits(sampler: string, name: string, value: number, most: number): void {
  checkValue(sampler, `option ${name}`, value, integer({ least: 1, most }), SamplerError);
}

/**
 * The indices of the samples of each key, in the order in which the keys appear.
 *
 * @throws {SamplerError} if there are none.
 */
export function indicesByKey(sampler: string, keys: Keys): number[][] {
  if (typeof keys !== 'object' || keys === null || !Number.isSafeInteger(keys.length)) {
    throw new SamplerError(
      `${sampler}: expected option by to be a list with the key of each sample, got ${shown(keys)}.`,
    );
  }
  if (keys.length === 0) throw new SamplerError(`${sampler}: expected a key for each sample, got none.`);
  const indices = new Map<string | number, number[]>();
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const known = indices.get(key);
    if (known) known.push(i);
    else indices.set(key, [i]);
  }
  return [...indices.values()];
}
