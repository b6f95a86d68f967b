/** The method of batch means for streams: memory does not grow with the number of batches. */
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { checkClusters } from './clustered-standard-errors.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';
import type { StandardErrors } from './standard-errors.ts';

/** Accumulates batches for {@link StandardErrors}; made by {@link clusterErrors}. */
export interface ClusterErrors {
  /** How many non-empty batches were added. */
  readonly clusters: number;
  /** Adds one batch, O(channels). Count 0 is ignored. Throws a MomentsError on a bad one, and is then unchanged. */
  add(batch: Moments): void;
  /** The errors so far, O(channels). Throws a MomentsError before the second non-empty batch. */
  standardErrors(): StandardErrors;
}

/**
 * A streaming `clusteredStandardErrors`: the same numbers, O(channels) memory, readable after any batch.
 *
 * With d the distance of a batch mean to the first batch's mean, and p = v + d^2, the errors are a quadratic form
 * in the second moments of (d, p) under weights n^2. Those are kept centered, by a weighted update in the manner
 * of Welford (1962), so a large common offset of the data (mean / std up to 1e8) costs no digits.
 */
export function clusterErrors(): ClusterErrors {
  return new Accumulator();
}

// One channel's numbers, in a row of a flat array.
const REFERENCE = 0; // the first batch's mean; d is measured from it
const OFFSET = 1; // mean of d, weights n: where the population mean is, from the reference
const LEVEL = 2; // mean of p, weights n
const D = 3; // mean of d, weights n^2
const P = 4; // mean of p, weights n^2
const DD = 5; // centered second moments of d and p, divided by the sum of weights
const DP = 6;
const PP = 7;
const FIELDS = 8;

class Accumulator implements ClusterErrors {
  #clusters = 0;
  #count = 0;
  #squares = 0; // sum of n^2
  #rows = new Float64Array(0);
  #first: Moments | undefined;

  get clusters(): number {
    return this.#clusters;
  }

  add(batch: Moments): void {
    checkMoments(batch, `clusterErrors: batch ${this.#clusters}`);
    if (this.#first) checkSameChannels(this.#first, batch, 'clusterErrors: the first batch and this one');
    if (batch.count === 0) return;
    const next = this.#first ? this.#rows.slice() : new Float64Array(FIELDS * batch.mean.length);

    const count = this.#count + batch.count;
    const squares = this.#squares + batch.count ** 2;
    const share = batch.count / count;
    const weight = batch.count ** 2 / squares;
    for (let c = 0; c < batch.mean.length; c++) {
      const row = next.subarray(c * FIELDS, (c + 1) * FIELDS);
      if (!this.#first) row[REFERENCE] = batch.mean[c]!;
      const d = batch.mean[c]! - row[REFERENCE]!;
      const p = batch.variance[c]! + d * d;
      row[OFFSET]! += share * (d - row[OFFSET]!);
      row[LEVEL]! += share * (p - row[LEVEL]!);
      const toD = d - row[D]!;
      const toP = p - row[P]!;
      row[D]! += weight * toD;
      row[P]! += weight * toP;
      row[DD] = (1 - weight) * (row[DD]! + weight * toD * toD);
      row[DP] = (1 - weight) * (row[DP]! + weight * toD * toP);
      row[PP] = (1 - weight) * (row[PP]! + weight * toP * toP);
      if (!Number.isFinite(row[PP]!)) {
        throw new MomentsError(
          `clusterErrors: batch ${this.#clusters} overflows float64 in channel ${c}; ` +
            `mean ${batch.mean[c]}, variance ${batch.variance[c]}.`,
        );
      }
    }
    this.#first ??= batch;
    this.#rows = next;
    this.#count = count;
    this.#squares = squares;
    this.#clusters += 1;
  }

  standardErrors(): StandardErrors {
    checkClusters(this.#clusters, 'clusterErrors');
    const channels = this.#rows.length / FIELDS;
    const mean = new Float64Array(channels);
    const variance = new Float64Array(channels);
    // k / (k - 1) times the sum of squared shares of the count.
    const scale = (this.#clusters / (this.#clusters - 1)) * (this.#squares / this.#count ** 2);
    for (let c = 0; c < channels; c++) {
      const row = this.#rows.subarray(c * FIELDS, (c + 1) * FIELDS);
      const offset = row[OFFSET]!;
      const sigma2 = row[LEVEL]! - offset * offset;
      // A batch's pull on the variance is z = p - 2 offset d + offset^2 - sigma^2.
      const pull = row[P]! - 2 * offset * row[D]! + offset * offset - sigma2;
      const spread = row[PP]! - 4 * offset * row[DP]! + 4 * offset * offset * row[DD]!;
      mean[c] = Math.sqrt(scale * (row[DD]! + (row[D]! - offset) ** 2));
      variance[c] = Math.sqrt(scale * (Math.max(0, spread) + pull * pull));
    }
    return { mean, variance };
  }
}
