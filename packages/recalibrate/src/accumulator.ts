// What is known of one site on the host: its estimator, and for the report each application's own moments.
import type { Estimator } from '@rebatch/estimators';
import type { Site } from '@rebatch/models';
import { unusable } from '@rebatch/models/~internal';
import {
  type ClusterErrors,
  clusterErrors,
  type Moments,
  mergeAllMoments,
  relativeErrors,
  type StandardErrors,
} from '@rebatch/stats';
import { copyClusterErrors, MergedMoments, shown } from '@rebatch/stats/~internal';
import { EstimateError } from './errors.ts';
import { blend, checkPrior, type Prior } from './prior.ts';
import { rootMeanSquare } from './summaries.ts';

/** Values that were seen, and their errors: each batch is one cluster. */
export class Tally {
  readonly #merged: MergedMoments;
  readonly errors: ClusterErrors;

  constructor(merged = new MergedMoments(), errors = clusterErrors()) {
    this.#merged = merged;
    this.errors = errors;
  }

  /** Of at least one batch. Good until the next one is added. */
  get moments(): Moments {
    return this.#merged.moments!;
  }

  add(batch: Moments): void {
    this.errors.add(batch);
    this.#merged.add(batch);
  }

  copy(): Tally {
    return new Tally(this.#merged.copy(), copyClusterErrors(this.errors));
  }
}

/** A tally that goes on from what another one had, of at least one batch. */
export function tallyOf(moments: Moments, errors: ClusterErrors): Tally {
  const merged = new MergedMoments();
  merged.add(moments);
  return new Tally(merged, errors);
}

/** All values that one application has seen. */
export interface ApplicationMoments {
  readonly pass: number;
  readonly tally: Tally;
}

/** What one pass has seen. */
export interface PassTally {
  samples: number;
  tally: Tally;
  /** The only application that the pass has seen so far, whose tally is then its own. */
  only: number | undefined;
}

/** The moments of one normalization batch of one application: the `index`-th within a forward. */
export interface Seen {
  readonly index: number;
  readonly moments: Moments;
}

/** What an accumulator has collected besides its estimator: by application, and by pass. */
export interface Collected {
  readonly applications: Map<number, ApplicationMoments>;
  readonly passes: Map<number, PassTally>;
}

/** What an accumulator has to know of its site. */
export type AccumulatedSite = Pick<Site, 'name' | 'channels' | 'epsilon'>;

/** Collects the batch moments of one site. */
export class SiteAccumulator {
  readonly site: AccumulatedSite;
  readonly estimator: Estimator;
  readonly applications: Map<number, ApplicationMoments>;
  /** One per pass: within a pass a batch is one cluster; passes read the same data and are no clusters of their own. */
  readonly #passes: Map<number, PassTally>;
  readonly #prior: Prior;

  /** @param collected what it goes on from; nothing unless it is given. */
  constructor(site: AccumulatedSite, estimator: Estimator, prior: Prior, collected?: Collected) {
    this.site = site;
    this.estimator = estimator;
    this.#prior = prior;
    this.applications = collected?.applications ?? new Map();
    this.#passes = collected?.passes ?? new Map();
  }

  /** What it has collected, to be looked at. */
  get collected(): Collected {
    return { applications: this.applications, passes: this.#passes };
  }

  /**
   * Takes in what the site's applications saw of one batch: one update each, as in training.
   *
   * @throws {EstimateError} if the estimator refuses the batch, {StatisticsError} if the prior is not usable: of a layer
   *   that is never applied it does not matter.
   */
  add(
    { index: batch, samples }: { readonly index: number; readonly samples: number },
    pass: number,
    seen: readonly Seen[],
  ): void {
    if (this.#passes.size === 0) checkPrior(this.site.name, this.site.channels, this.#prior);
    for (const { moments } of seen) {
      try {
        this.estimator.update(moments);
      } catch (error) {
        throw new EstimateError(
          `Layer '${this.site.name}', batch ${batch}: ${this.#called()} refused the batch: ` +
            `${error instanceof Error ? error.message : shown(error)}`,
          { cause: error },
        );
      }
    }
    const indices = indicesOf(seen);
    this.#begin(pass, indices);
    for (const index of indices) {
      const moments = mergedOf(seen.filter((one) => one.index === index));
      this.applications.get(index)!.tally.add(moments);
    }
    const own = this.#passes.get(pass)!;
    // One batch is one cluster, whatever number of times it met the site.
    if (own.only === undefined) own.tally.add(mergedOf(seen));
    own.samples += samples;
  }

  /** Makes room for what a batch has seen. */
  #begin(pass: number, indices: readonly number[]): void {
    for (const index of indices) {
      if (!this.applications.has(index)) this.applications.set(index, { pass, tally: new Tally() });
    }
    const own = this.#passes.get(pass);
    if (own === undefined) {
      const only = indices.length === 1 ? indices[0]! : undefined;
      const tally = only === undefined ? new Tally() : this.applications.get(only)!.tally;
      this.#passes.set(pass, { samples: 0, tally, only });
    } else if (own.only !== undefined && (indices.length > 1 || indices[0] !== own.only)) {
      own.tally = own.tally.copy();
      own.only = undefined;
    }
  }

  /**
   * The standard errors of `seen()`; undefined while a pass has fewer than two batches. Passes see the same data, so
   * their errors may all point the same way: to first order in the errors, this is the bound that holds then.
   */
  standardErrors(): StandardErrors | undefined {
    const passes = [...this.#passes.values()];
    if (passes.length === 0 || passes.some(({ tally }) => tally.errors.clusters < 2)) return undefined;
    if (passes.length === 1) return passes[0]!.tally.errors.standardErrors();
    const all = this.seen();
    const mean = new Float64Array(all.mean.length);
    const variance = new Float64Array(all.mean.length);
    for (const { tally } of passes) {
      const { moments, errors } = tally;
      const share = moments.count / all.count;
      const own = errors.standardErrors();
      for (let c = 0; c < mean.length; c++) {
        // The variance of all is the mean of v + (m - M)^2: an error of m moves it, too.
        const lever = 2 * Math.abs(moments.mean[c]! - all.mean[c]!);
        mean[c]! += share * own.mean[c]!;
        variance[c]! += share * (own.variance[c]! + lever * own.mean[c]!);
      }
    }
    return { mean, variance };
  }

  /** The moments of all values seen by all applications. */
  seen(): Moments {
    return mergeAllMoments([...this.applications.values()].map(({ tally }) => tally.moments));
  }

  /** The worse of the two standard errors, relative and as root mean square over channels; Infinity if unknown. */
  relativeError(): number {
    const errors = this.standardErrors();
    if (errors === undefined) return Number.POSITIVE_INFINITY;
    const { mean, variance } = relativeErrors(errors, this.seen(), floorOf(this.site));
    return Math.max(rootMeanSquare(mean), rootMeanSquare(variance));
  }

  /**
   * The statistics for the site as estimated so far, blended with the prior.
   *
   * @throws {EstimateError} unless they are what float32 weights can hold, and what the site can divide by.
   */
  estimate(): Moments {
    const estimate = this.estimator.estimate();
    const flaw = unusable(estimate?.mean, estimate?.variance, this.site.channels);
    if (flaw !== undefined) {
      throw new EstimateError(
        `Layer '${this.site.name}': ${this.#called()} gave ${flaw}; ` +
          'expected a finite mean and a finite variance >= 0 per channel, in the range of float32.',
      );
    }
    // Passes read the same data, so the samples of several are those of the longest.
    const samples = Math.max(...[...this.#passes.values()].map((pass) => pass.samples));
    const blended = blend(this.#prior, samples, estimate, this.site.epsilon);
    const still = unusable(blended.mean, blended.variance, this.site.channels, this.site.epsilon);
    if (still === undefined) return blended;
    throw new EstimateError(
      `Layer '${this.site.name}': expected statistics that it can normalize by, with an epsilon of ${this.site.epsilon}, ` +
        `got ${still}. A channel that is constant in the data needs data in which it varies, or a layer with an epsilon.`,
    );
  }

  /** The estimator in a message: one that a user wrote may have no kind. */
  #called(): string {
    const { kind } = this.estimator as { readonly kind?: unknown };
    return typeof kind === 'string' ? `the estimator '${kind}'` : 'the estimator';
  }
}

function indicesOf(seen: readonly Seen[]): number[] {
  return seen.length === 1 ? [seen[0]!.index] : [...new Set(seen.map(({ index }) => index))];
}

function mergedOf(seen: readonly Seen[]): Moments {
  return seen.length === 1 ? seen[0]!.moments : mergeAllMoments(seen.map(({ moments }) => moments));
}

/** Compares variances as the layer sees them: differences far below its epsilon do not matter to it. */
export function floorOf({ epsilon }: Pick<Site, 'epsilon'>): { epsilon?: number } {
  return epsilon > 0 ? { epsilon } : {};
}
