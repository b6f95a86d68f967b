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
} from '@rebatch/stats';
import { channelsOf } from './bn-layers.ts';
import { EstimateError } from './errors.ts';
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
  readonly errors: ClusterErrors = clusterErrors();

  constructor(layer: BatchNormLayer, estimator: Estimator) {
    this.layer = layer;
    this.estimator = estimator;
  }

  /** Takes in what the layer's applications saw of one batch: one update each, as in training. */
  add(batch: number, pass: number, seen: readonly { index: number; moments: Moments }[]): void {
    for (const { index, moments } of seen) {
      try {
        this.estimator.update(moments);
      } catch (error) {
        throw new EstimateError(
          `Layer '${this.layer.name}', batch ${batch}: the estimator '${this.estimator.kind}' refused the batch: ` +
            `${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      }
      const known = this.applications.get(index);
      if (known) known.moments = mergeMoments(known.moments, moments);
      else this.applications.set(index, { pass, moments, errors: clusterErrors() });
      this.applications.get(index)!.errors.add(moments);
    }
    // One batch is one cluster, whatever number of times it met the layer.
    this.errors.add(mergeAllMoments(seen.map(({ moments }) => moments)));
  }

  /** The moments of all values seen by all applications. */
  seen(): Moments {
    return mergeAllMoments([...this.applications.values()].map(({ moments }) => moments));
  }

  /** The worse of the two standard errors, relative and as root mean square over channels; Infinity if unknown. */
  relativeError(): number {
    if (this.errors.clusters < 2) return Number.POSITIVE_INFINITY;
    const { mean, variance } = relativeErrors(this.errors.standardErrors(), this.seen(), floorOf(this.layer));
    return Math.max(rootMeanSquare(mean), rootMeanSquare(variance));
  }

  /**
   * The statistics for the layer as estimated so far.
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
    return estimate;
  }
}

/** Compares variances as the layer sees them: differences far below its epsilon do not matter to it. */
export function floorOf(layer: BatchNormLayer): { epsilon?: number } {
  return layer.epsilon > 0 ? { epsilon: layer.epsilon } : {};
}

export function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
