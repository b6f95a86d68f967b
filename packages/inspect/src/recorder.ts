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
  /** How many samples it has; 0 if that is not known. */
  readonly samples: number;
  /** Among the first of its size: its noise is measured, if most batches turn out to be of that size. */
  readonly noise: boolean;
  /** Measured layer by layer, too. */
  readonly pooled: boolean;
}

/** What was seen of batches of one size. */
interface Sized {
  /** Per channel, in the first application to the first of them. */
  readonly values: number;
  readonly noise: Moments[][];
  readonly pooled: Moments[];
}

/** Records a layer; `endBatch` says when a batch is complete, as an estimator cannot know. */
export class LayerRecorder implements Estimator {
  readonly kind = 'inspection';
  /** The precise statistics: all batches that are not held out (Wu & Johnson 2021, Sec. 3). */
  population: Moments | undefined;
  /** Of `population`, each batch one cluster. */
  readonly errors: ClusterErrors = clusterErrors();
  /** Per batch of the settled size, the moments of each application. */
  noise: readonly (readonly Moments[])[] = [];
  /** Per batch of the settled size, the moments of all applications together. */
  pooled: readonly Moments[] = [];
  /** Values per channel of one application to a batch of the settled size. */
  values = 0;
  /** How often the layer was applied to each batch. */
  applications = 0;
  readonly #sizes = new Map<number, Sized>();
  #total: Moments | undefined;
  #batch: Moments[] = [];

  update(batch: Moments): void {
    this.#total = this.#total ? mergeMoments(this.#total, batch) : copyMoments(batch);
    this.#batch.push(copyMoments(batch));
  }

  endBatch({ heldOut, samples, noise, pooled }: BatchRole): void {
    const seen = this.#batch;
    this.#batch = [];
    if (seen.length === 0) return;
    this.applications = seen.length;
    const merged = mergeAllMoments(seen);
    const sized = this.#sizes.get(samples) ?? { values: seen[0]!.count, noise: [], pooled: [] };
    this.#sizes.set(samples, sized);
    if (noise) sized.noise.push(seen);
    if (pooled) sized.pooled.push(merged);
    if (heldOut) return;
    this.population = this.population ? mergeMoments(this.population, merged) : merged;
    this.errors.add(merged);
  }

  /** After the last batch: which size is the full one. What was remembered of others is forgotten. */
  settle(samples: number): void {
    const { values = 0, noise = [], pooled = [] } = this.#sizes.get(samples) ?? {};
    this.values = values;
    this.noise = noise;
    this.pooled = pooled;
    this.#sizes.clear();
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
