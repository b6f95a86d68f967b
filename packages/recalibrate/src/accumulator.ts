/** What is known of one layer on the host: its estimator, and for the report each application's own moments. */
import type { Estimator } from '@rebatch/estimators';
import type { BatchNormLayer } from '@rebatch/layers';
import {
  type ClusterErrors,
  clusterErrors,
  type Moments,
  mergeAllMoments,
  mergeMoments,
  relativeErrors,
  type StandardErrors,
} from '@rebatch/stats';
import { channelsOf } from './bn-layers.ts';
import { EstimateError } from './errors.ts';
import { blend, checkPrior, type Prior } from './prior.ts';
import { rootMeanSquare } from './summaries.ts';
import { unusable } from './unusable.ts';

/** All values that one application has seen. */
export interface ApplicationMoments {
  pass: number;
  moments: Moments;
  readonly errors: ClusterErrors;
}

/** Collects the batch moments of one layer. */
export class LayerAccumulator {
  readonly layer: BatchNormLayer;
  readonly estimator: Estimator;
  readonly applications = new Map<number, ApplicationMoments>();
  /** One per pass: within a pass a batch is one cluster; passes read the same data and are no clusters of their own. */
  readonly #passes = new Map<number, { samples: number; moments: Moments; readonly errors: ClusterErrors }>();
  readonly #prior: Prior;

  constructor(layer: BatchNormLayer, estimator: Estimator, prior: Prior) {
    this.layer = layer;
    this.estimator = estimator;
    this.#prior = prior;
  }

  /**
   * Takes in what the layer's applications saw of one batch: one update each, as in training.
   *
   * @throws {EstimateError} if the estimator refuses the batch, {StatisticsError} if the prior is not usable: of a layer
   *   that is never applied it does not matter.
   */
  add(
    { index: batch, samples }: { readonly index: number; readonly samples: number },
    pass: number,
    seen: readonly { index: number; moments: Moments }[],
  ): void {
    if (this.#passes.size === 0) checkPrior(this.layer.name, channelsOf(this.layer), this.#prior);
    for (const { moments } of seen) {
      try {
        this.estimator.update(moments);
      } catch (error) {
        throw new EstimateError(
          `Layer '${this.layer.name}', batch ${batch}: the estimator '${this.estimator.kind}' refused the batch: ` +
            `${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      }
    }
    for (const index of new Set(seen.map((one) => one.index))) {
      const moments = mergeAllMoments(seen.filter((one) => one.index === index).map((one) => one.moments));
      const known = this.applications.get(index);
      if (known) known.moments = mergeMoments(known.moments, moments);
      else this.applications.set(index, { pass, moments, errors: clusterErrors() });
      this.applications.get(index)!.errors.add(moments);
    }
    // One batch is one cluster, whatever number of times it met the layer.
    const merged = mergeAllMoments(seen.map(({ moments }) => moments));
    const known = this.#passes.get(pass);
    if (known) known.moments = mergeMoments(known.moments, merged);
    else this.#passes.set(pass, { samples: 0, moments: merged, errors: clusterErrors() });
    const own = this.#passes.get(pass)!;
    own.errors.add(merged);
    own.samples += samples;
  }

  /**
   * The standard errors of `seen()`; undefined while a pass has fewer than two batches. Passes see the same data, so
   * their errors may all point the same way: to first order in the errors, this is the bound that holds then.
   */
  standardErrors(): StandardErrors | undefined {
    const passes = [...this.#passes.values()];
    if (passes.length === 0 || passes.some(({ errors }) => errors.clusters < 2)) return undefined;
    if (passes.length === 1) return passes[0]!.errors.standardErrors();
    const all = this.seen();
    const mean = new Float64Array(all.mean.length);
    const variance = new Float64Array(all.mean.length);
    for (const { moments, errors } of passes) {
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
    return mergeAllMoments([...this.applications.values()].map(({ moments }) => moments));
  }

  /** The worse of the two standard errors, relative and as root mean square over channels; Infinity if unknown. */
  relativeError(): number {
    const errors = this.standardErrors();
    if (errors === undefined) return Number.POSITIVE_INFINITY;
    const { mean, variance } = relativeErrors(errors, this.seen(), floorOf(this.layer));
    return Math.max(rootMeanSquare(mean), rootMeanSquare(variance));
  }

  /**
   * The statistics for the layer as estimated so far, blended with the prior.
   *
   * @throws {EstimateError} unless they are what float32 weights of the layer can hold.
   */
  estimate(): Moments {
    const estimate = this.estimator.estimate();
    const flaw = unusable(estimate.mean, estimate.variance, channelsOf(this.layer));
    if (flaw !== undefined) {
      throw new EstimateError(
        `Layer '${this.layer.name}': the estimator '${this.estimator.kind}' gave ${flaw}; ` +
          'expected a finite mean and a finite variance >= 0 per channel, in the range of float32.',
      );
    }
    // Passes read the same data, so the samples of several are those of the longest.
    const samples = Math.max(...[...this.#passes.values()].map((pass) => pass.samples));
    return blend(this.#prior, samples, estimate);
  }
}

/** Compares variances as the layer sees them: differences far below its epsilon do not matter to it. */
export function floorOf(layer: BatchNormLayer): { epsilon?: number } {
  return layer.epsilon > 0 ? { epsilon: layer.epsilon } : {};
}
