/** PreciseBN: the statistics of all values seen, as if they had been one batch. */
import { copyMoments, type Moments, mergeMoments, momentsToJSON } from '@rebatch/stats';
import { checkBatch } from './check-batch.ts';
import { EmptyEstimatorError, EstimatorMergeError } from './errors.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { readState } from './state.ts';

const KIND = 'populationVariance';
const VERSION = 1;

/**
 * The aggregation of PreciseBN (Wu & Johnson 2021, Sec. 3): mu = E[mu_B], sigma^2 = E[mu_B^2 + sigma_B^2] - mu^2,
 * with expectations weighted by the batches' counts.
 *
 * Exact: the moments of all values seen, whatever the sizes and the order of the batches, correlated or not.
 * Computed by Chan's merge in place of the formula, which would cancel where the mean is large. Every value weighs
 * the same, so it must be fed with the weights of the model frozen. What it cannot see: in a deep network the
 * *inputs* of a layer still depend on the batch size, because the layers before normalize by batch; mode
 * `layerwise` of `@rebatch/recalibrate` removes that.
 *
 * `estimate().count` is the number of values seen. Mergeable.
 */
export function populationVariance(): Estimator {
  return new PopulationVariance();
}

/** Restores a {@link populationVariance} from its JSON. Throws an EstimatorStateError. */
export function populationVarianceFromJSON(state: EstimatorState): Estimator {
  return new PopulationVariance(readState(state, KIND, VERSION).moments('seen'));
}

class PopulationVariance implements Estimator {
  readonly kind = KIND;
  #seen: Moments | undefined;

  constructor(seen?: Moments) {
    this.#seen = seen;
  }

  update(batch: Moments): void {
    checkBatch(KIND, batch, { like: this.#seen });
    this.#seen = this.#seen ? mergeMoments(this.#seen, batch) : copyMoments(batch);
  }

  estimate(): Moments {
    if (!this.#seen) throw new EmptyEstimatorError(KIND);
    return copyMoments(this.#seen);
  }

  merge(other: Estimator): void {
    if (!(other instanceof PopulationVariance)) {
      throw new EstimatorMergeError(`${KIND}: cannot merge a "${other.kind}"; expected another "${KIND}".`);
    }
    if (other.#seen) this.update(other.#seen);
  }

  toJSON(): EstimatorState {
    return { kind: KIND, version: VERSION, seen: this.#seen ? { ...momentsToJSON(this.#seen) } : null };
  }
}
