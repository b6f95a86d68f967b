// What all samplers have in common.
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

/** @throws {SamplerError} unless the value is a whole number of at least 1 and at most `most`. */
export function checkWhole(
  sampler: string,
  name: string,
  value: number,
  most = Number.POSITIVE_INFINITY,
): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  const range = most === Number.POSITIVE_INFINITY ? 'of at least 1' : `from 1 to ${most}`;
  throw new SamplerError(`${sampler}: expected ${name} to be a whole number ${range}, got ${value}.`);
}

/** @throws {SamplerError} unless normalization batches of `groupSize` fill the batch. */
export function checkGroups(sampler: string, batchSize: number, groupSize: number): void {
  checkWhole(sampler, 'batchSize', batchSize);
  checkWhole(sampler, 'groupSize', groupSize, batchSize);
  if (batchSize % groupSize === 0) return;
  throw new SamplerError(
    `${sampler}: expected batchSize to be a multiple of groupSize, got ${batchSize} and ${groupSize}.`,
  );
}

/** The indices of the samples of each key, in the order in which the keys appear. */
export function indicesByKey(sampler: string, keys: Keys): number[][] {
  if (keys.length === 0) throw new SamplerError(`${sampler}: expected a key for each sample, got none.`);
  const groups = new Map<string | number, number[]>();
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const known = groups.get(key);
    if (known) known.push(i);
    else groups.set(key, [i]);
  }
  return [...groups.values()];
}
