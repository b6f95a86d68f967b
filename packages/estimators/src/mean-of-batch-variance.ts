// The alternative to PreciseBN's formula: what a framework's running average converges to.
import { checkMoments, copyMoments, type Moments, momentsToJSON, unbiasedVariance } from '@rebatch/stats';
import { checkBatch } from './check-batch.ts';
import { EmptyEstimatorError } from './errors.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { otherKind } from './other-kind.ts';
import { readState } from './state.ts';

const KIND = 'meanOfBatchVariance';
const VERSION = 1;

/**
 * mu = the mean of the batches' means, sigma^2 = the mean of their Bessel-corrected variances; each batch weighs the
 * same whatever its count. PyTorch's running average converges to this as its decay goes to 1 with the weights
 * frozen (Wu & Johnson 2021, Sec. 3).
 *
 * Unbiased if the values within a batch are independent. They rarely are: a batch holds many positions of few
 * images, values of one image are alike, and what the images of different batches differ by is in no batch's
 * variance. So sigma^2 is biased low, the more the smaller the batches, where `populationVariance` is exact.
 *
 * `estimate().count` is the number of values seen. Mergeable. `update` needs more than one value per channel.
 */
export function meanOfBatchVariance(): Estimator {
  return new MeanOfBatchVariance();
}

/** Restores a {@link meanOfBatchVariance} from its JSON. Throws an EstimatorStateError. */
export function meanOfBatchVarianceFromJSON(state: EstimatorState): Estimator {
  const { batches, average } = readState(state, KIND, VERSION).average();
  return new MeanOfBatchVariance(batches, average);
}

class MeanOfBatchVariance implements Estimator {
  readonly kind = KIND;
  #batches: number;
  #average: Moments | undefined;

  constructor(batches = 0, average?: Moments) {
    this.#batches = batches;
    this.#average = average;
  }

  update(batch: Moments): void {
    checkBatch(KIND, batch, { like: this.#average, bessel: true });
    this.#blend({ count: batch.count, mean: batch.mean, variance: unbiasedVariance(batch) }, 1);
  }

  estimate(): Moments {
    if (!this.#average) throw new EmptyEstimatorError(KIND);
    return copyMoments(this.#average);
  }

  merge(other: Estimator): void {
    if (!(other instanceof MeanOfBatchVariance)) {
      throw otherKind(KIND, other);
    }
    if (!other.#average) return;
    checkBatch(KIND, other.#average, { like: this.#average });
    this.#blend(other.#average, other.#batches);
  }

  toJSON(): EstimatorState {
    return {
      kind: KIND,
      version: VERSION,
      batches: this.#batches,
      average: this.#average ? { ...momentsToJSON(this.#average) } : null,
    };
  }

  /** Moves the average towards that of `batches` more batches. */
  #blend(more: Moments, batches: number): void {
    const total = this.#batches + batches;
    const share = batches / total;
    const old = this.#average;
    const blend = (from: Float64Array | undefined, to: Float64Array) =>
      from ? from.map((value, c) => value + share * (to[c]! - value)) : to.slice();
    const average = {
      count: (old?.count ?? 0) + more.count,
      mean: blend(old?.mean, more.mean),
      variance: blend(old?.variance, more.variance),
    };
    this.#average = checkMoments(average, `${KIND}: the average (is it too large for float64?)`);
    this.#batches = total;
  }
}
