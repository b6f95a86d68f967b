// The method of batch means for streams: memory does not grow with the number of batches.
import { checkMoments, isSound } from './check-moments.ts';
import { checkClusters } from './clustered-standard-errors.ts';
import { MomentsError } from './errors.ts';
import { float64FromBase64, float64ToBase64 } from './float64-base64.ts';
import type { Moments } from './moments.ts';
import { shown } from './options/shown.ts';
import type { StandardErrors } from './standard-errors.ts';

/** Accumulates batches for {@link StandardErrors}; made by {@link clusterErrors}. */
export interface ClusterErrors {
  /** How many non-empty batches were added. */
  readonly clusters: number;
  /** Adds one batch, O(channels). Count 0 is ignored. Throws a MomentsError on a bad one, and is then unchanged. */
  add(batch: Moments): void;
  /** The errors so far, O(channels). Throws a MomentsError before the second non-empty batch. */
  standardErrors(): StandardErrors;
  /** All of it as plain JSON: what {@link clusterErrorsFromJSON} restores from it goes on exactly as this one would. */
  toJSON(): ClusterErrorsJSON;
}

/** {@link ClusterErrors} at rest, version 1. `rows` is base64 of little-endian float64, 8 values per channel. */
export interface ClusterErrorsJSON {
  readonly version: 1;
  readonly clusters: number;
  readonly count: number;
  readonly squares: number;
  readonly rows: string;
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

/** A copy, to which other batches can be added. */
export function copyClusterErrors(errors: ClusterErrors): ClusterErrors {
  return (errors as Accumulator).copy();
}

/**
 * Restores what `toJSON()` wrote, bit for bit. Takes anything (parsed JSON from a file, say) and trusts none of it.
 *
 * @throws MomentsError that says what was expected and what came.
 */
export function clusterErrorsFromJSON(json: unknown): ClusterErrors {
  const fail = (expected: string, came: unknown): never => {
    throw new MomentsError(
      `clusterErrorsFromJSON: expected ${expected}, got ${shown(came)}. It was changed, or not written by toJSON().`,
    );
  };
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return fail('an object made by toJSON()', json);
  }
  const { version, clusters, count, squares, rows } = json as Record<string, unknown>;
  if (version !== 1) fail('version 1', version);
  if (!Number.isSafeInteger(clusters) || (clusters as number) < 0) fail('clusters >= 0', clusters);
  const empty = clusters === 0;
  for (const [name, sum] of Object.entries({ count, squares })) {
    const fits = typeof sum === 'number' && Number.isFinite(sum) && (empty ? sum === 0 : sum > 0);
    if (!fits) fail(empty ? `${name} 0 of no clusters` : `${name} > 0`, sum);
  }
  const values = float64FromBase64(rows, (flaw) => {
    throw new MomentsError(`clusterErrorsFromJSON: rows ${flaw}`);
  });
  const whole = values.length % FIELDS === 0 && (values.length === 0) === empty;
  if (!whole) fail(empty ? 'no rows of no clusters' : `rows of ${FIELDS} values each`, values.length);
  const odd = values.find(
    (value, i) => !Number.isFinite(value) || ([DD, PP].includes(i % FIELDS) && value < 0),
  );
  if (odd !== undefined) fail('finite rows, and second moments >= 0', odd);
  return new Accumulator({
    clusters: clusters as number,
    count: count as number,
    squares: squares as number,
    rows: values,
  });
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

/** What has been added up. */
interface Sums extends Omit<ClusterErrorsJSON, 'version' | 'rows'> {
  readonly rows: Float64Array;
}

const NOTHING: Sums = { clusters: 0, count: 0, squares: 0, rows: new Float64Array(0) };

class Accumulator implements ClusterErrors {
  #clusters: number;
  #count: number;
  #squares: number; // sum of n^2
  #rows: Float64Array;
  /** Where the next batch is added in, so that one which overflows changes nothing. */
  #next: Float64Array;

  constructor({ clusters, count, squares, rows }: Sums = NOTHING) {
    this.#clusters = clusters;
    this.#count = count;
    this.#squares = squares;
    this.#rows = rows.slice();
    this.#next = rows.slice();
  }

  get clusters(): number {
    return this.#clusters;
  }

  add(batch: Moments): void {
    // A name is made for a message alone.
    if (!isSound(batch)) checkMoments(batch, `clusterErrors: batch ${this.#clusters}`);
    const first = this.#clusters === 0;
    const channels = this.#rows.length / FIELDS;
    if (!first && channels !== batch.mean.length) {
      throw new MomentsError(
        `clusterErrors: the first batch and this one: the channels differ, ${channels} against ${batch.mean.length}. ` +
          'Only moments of the same channels can be put together.',
      );
    }
    if (batch.count === 0) return;
    if (first) this.#begin(batch);

    const count = this.#count + batch.count;
    const squares = this.#squares + batch.count ** 2;
    const share = batch.count / count;
    const weight = batch.count ** 2 / squares;
    const overflow = moveRows(this.#rows, this.#next, batch, share, weight);
    if (overflow >= 0) {
      throw new MomentsError(
        `clusterErrors: batch ${this.#clusters} overflows float64 in channel ${overflow}; ` +
          `mean ${batch.mean[overflow]}, variance ${batch.variance[overflow]}.`,
      );
    }
    [this.#rows, this.#next] = [this.#next, this.#rows];
    this.#count = count;
    this.#squares = squares;
    this.#clusters += 1;
  }

  copy(): ClusterErrors {
    return new Accumulator({
      clusters: this.#clusters,
      count: this.#count,
      squares: this.#squares,
      rows: this.#rows,
    });
  }

  #begin({ mean }: Moments): void {
    this.#rows = new Float64Array(FIELDS * mean.length);
    this.#next = new Float64Array(FIELDS * mean.length);
    for (let c = 0; c < mean.length; c++) {
      this.#rows[c * FIELDS + REFERENCE] = mean[c]!;
      this.#next[c * FIELDS + REFERENCE] = mean[c]!;
    }
  }

  standardErrors(): StandardErrors {
    checkClusters(this.#clusters, 'clusterErrors');
    const rows = this.#rows;
    const channels = rows.length / FIELDS;
    const mean = new Float64Array(channels);
    const variance = new Float64Array(channels);
    // k / (k - 1) times the sum of squared shares of the count.
    const scale = (this.#clusters / (this.#clusters - 1)) * (this.#squares / this.#count ** 2);
    for (let c = 0; c < channels; c++) {
      const at = c * FIELDS;
      const offset = rows[at + OFFSET]!;
      const [d, p, dd] = [rows[at + D]!, rows[at + P]!, rows[at + DD]!];
      const sigma2 = rows[at + LEVEL]! - offset * offset;
      // A batch's pull on the variance is z = p - 2 offset d + offset^2 - sigma^2.
      const pull = p - 2 * offset * d + offset * offset - sigma2;
      const spread = rows[at + PP]! - 4 * offset * rows[at + DP]! + 4 * offset * offset * dd;
      mean[c] = Math.sqrt(scale * (dd + (d - offset) ** 2));
      variance[c] = Math.sqrt(scale * (Math.max(0, spread) + pull * pull));
    }
    return { mean, variance };
  }

  toJSON(): ClusterErrorsJSON {
    return {
      version: 1,
      clusters: this.#clusters,
      count: this.#count,
      squares: this.#squares,
      rows: float64ToBase64(this.#clusters === 0 ? NOTHING.rows : this.#rows),
    };
  }
}

/**
 * Adds a batch to what was known in `rows`, and writes what is known then into `next`.
 *
 * @param share of the batch in the count, and `weight` in the sum of squared counts.
 * @returns the first channel that overflows, or -1.
 */
function moveRows(
  rows: Float64Array,
  next: Float64Array,
  { mean, variance }: Moments,
  share: number,
  weight: number,
): number {
  const rest = 1 - weight;
  for (let c = 0; c < mean.length; c++) {
    const at = c * FIELDS;
    const d = mean[c]! - rows[at + REFERENCE]!;
    const p = variance[c]! + d * d;
    const toD = d - rows[at + D]!;
    const toP = p - rows[at + P]!;
    next[at + OFFSET] = rows[at + OFFSET]! + share * (d - rows[at + OFFSET]!);
    next[at + LEVEL] = rows[at + LEVEL]! + share * (p - rows[at + LEVEL]!);
    next[at + D] = rows[at + D]! + weight * toD;
    next[at + P] = rows[at + P]! + weight * toP;
    next[at + DD] = rest * (rows[at + DD]! + weight * toD * toD);
    next[at + DP] = rest * (rows[at + DP]! + weight * toD * toP);
    const spread = rest * (rows[at + PP]! + weight * toP * toP);
    next[at + PP] = spread;
    if (spread - spread !== 0) return c;
  }
  return -1;
}
