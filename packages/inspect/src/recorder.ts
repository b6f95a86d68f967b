/** What one layer saw of each batch, taken in as an estimator of `estimateStatistics`. */
import type { RecalibrationOptions } from '@rebatch/recalibrate';
import {
  type ClusterErrors,
  clusterErrors,
  copyMoments,
  type Moments,
  mergeAllMoments,
  mergeMoments,
  momentsToJSON,
} from '@rebatch/stats';

type Estimator = ReturnType<NonNullable<RecalibrationOptions['estimator']>>;

/** What a batch is used for. */
export interface BatchRole {
  /** Left out of the statistics, so that errors under them are errors on unseen data. */
  readonly heldOut: boolean;
  /** Of the full batch size, and among the first of those: its noise is measured. */
  readonly noise: boolean;
  /** Measured layer by layer, too. */
  readonly pooled: boolean;
}

/** Records a layer; `endBatch` says when a batch is complete, as an estimator cannot know. */
export class LayerRecorder implements Estimator {
  readonly kind = 'inspection';
  /** The precise statistics: all batches that are not held out (Wu & Johnson 2021, Sec. 3). */
  population: Moments | undefined;
  /** Of `population`, each batch one cluster. */
  readonly errors: ClusterErrors = clusterErrors();
  /** Per batch, the moments of each application. */
  readonly noise: Moments[][] = [];
  /** Per batch, the moments of all applications together. */
  readonly pooled: Moments[] = [];
  /** Values per channel of the first batch's first application, and how often the layer was applied. */
  values = 0;
  applications = 0;
  #total: Moments | undefined;
  #batch: Moments[] = [];

  update(batch: Moments): void {
    this.#total = this.#total ? mergeMoments(this.#total, batch) : copyMoments(batch);
    this.#batch.push(copyMoments(batch));
  }

  endBatch({ heldOut, noise, pooled }: BatchRole): void {
    const seen = this.#batch;
    this.#batch = [];
    if (seen.length === 0) return;
    this.values ||= seen[0]!.count;
    this.applications = seen.length;
    const merged = mergeAllMoments(seen);
    if (noise) this.noise.push(seen);
    if (pooled) this.pooled.push(merged);
    if (heldOut) return;
    this.population = this.population ? mergeMoments(this.population, merged) : merged;
    this.errors.add(merged);
  }

  estimate(): Moments {
    return this.#total!;
  }

  toJSON() {
    return {
      kind: this.kind,
      version: 1,
      total: this.#total ? { ...momentsToJSON(this.#total) } : null,
    } as const;
  }
}
