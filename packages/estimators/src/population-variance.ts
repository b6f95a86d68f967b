// PreciseBN: the statistics of all values seen, as if they had been one batch.
import { copyMoments, type Moments, momentsToJSON } from '@rebatch/stats';
import { MergedMoments } from '@rebatch/stats/~internal';
import { checkBatch } from './check-batch.ts';
import { EmptyEstimatorError } from './errors.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { otherKind } from './other-kind.ts';
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
  readonly #seen = new MergedMoments();

  constructor(seen?: Moments) {
    if (seen !== undefined) this.#seen.add(seen);
  }

  update(batch: Moments): void {
    checkBatch(KIND, batch, { like: this.#seen.moments });
    this.#seen.add(batch);
  }

  estimate(): Moments {
    const { moments } = this.#seen;
    if (!moments) throw new EmptyEstimatorError(KIND);
    return copyMoments(moments);
  }

  merge(other: Estimator): void {
    if (!(other instanceof PopulationVariance)) {
      throw otherKind(KIND, other);
    }
    const { moments } = other.#seen;
    if (moments) this.update(moments);
  }

  toJSON(): EstimatorState {
    const { moments } = this.#seen;
    return { kind: KIND, version: VERSION, seen: moments ? { ...momentsToJSON(moments) } : null };
  }
}
