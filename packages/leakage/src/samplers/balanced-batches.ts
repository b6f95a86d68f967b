import { SamplerError } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import { type Batches, checkSampler, indicesByKey, type Keys, type SamplerOptions } from './sampler.ts';

/** Options of `balancedBatches`. */
export interface BalancedOptions extends SamplerOptions {
  /** The label or source of each sample. */
  readonly by: Keys;
}

/**
 * Batches with as many samples of each key as of any other: the statistics of a batch say nothing about which label is
 * frequent in it. Where keys do not divide the batch, each batch has one sample more of some, drawn anew each time. Rare
 * keys are repeated: their samples come in a new shuffle whenever they are used up. Within a batch the order is random.
 *
 * @throws {SamplerError} at the first batch, if a batch has not room for every key.
 */
export function* balancedBatches(options: BalancedOptions): Batches {
  checkSampler('balancedBatches', options, 'by');
  const { by, batchSize, seed = 0 } = options;
  const keys = indicesByKey('balancedBatches', by);
  if (batchSize < keys.length) {
    throw new SamplerError(
      `balancedBatches: expected batches of at least one sample for each of ${keys.length} keys, got ${batchSize}.`,
    );
  }
  const random = seededRandom(seed);
  const streams = keys.map((indices) => endless(indices, random));
  const each = Math.floor(batchSize / keys.length);
  for (;;) {
    const more = new Set(random.shuffle(keys.map((_, key) => key)).slice(0, batchSize - each * keys.length));
    const batch = streams.flatMap((stream, key) =>
      Array.from({ length: each + (more.has(key) ? 1 : 0) }, () => stream.next().value),
    );
    yield random.shuffle(batch);
  }
}

function* endless(indices: number[], random: Random): Generator<number, never, undefined> {
  for (;;) yield* random.shuffle(indices).slice();
}
