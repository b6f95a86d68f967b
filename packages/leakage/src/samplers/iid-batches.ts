import { seededRandom } from '../random.ts';
import { type Batches, checkFits, checkSampler, type SamplerOptions } from './sampler.ts';

/** Options of `iidBatches`. */
export interface IidOptions extends SamplerOptions {
  /** How many samples there are. */
  readonly samples: number;
}

/**
 * Batches that say nothing about labels: every epoch is a new shuffle of all samples, cut into batches. What does not
 * fill a batch at the end of an epoch waits for another epoch's shuffle.
 *
 * @throws {SamplerError} at the first batch, if a batch is larger than the data.
 */
export function* iidBatches(options: IidOptions): Batches {
  checkSampler('iidBatches', options, 'samples');
  const { samples, batchSize, seed = 0 } = options;
  checkFits('iidBatches', 'batchSize', batchSize, samples);
  const random = seededRandom(seed);
  const order = Array.from({ length: samples }, (_, i) => i);
  for (;;) {
    random.shuffle(order);
    for (let start = 0; start + batchSize <= samples; start += batchSize) {
      yield order.slice(start, start + batchSize);
    }
  }
}
