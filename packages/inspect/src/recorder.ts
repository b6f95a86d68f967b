// What one site saw of each batch.
import { type ClusterErrors, clusterErrors, type Moments, mergeAllMoments } from '@rebatch/stats';
import { MergedMoments } from '@rebatch/stats/~internal';
import { type Alike, kindOf } from './sizes.ts';

/** A batch, and what it is used for. */
export interface BatchRole extends Alike {
  /** Left out of the statistics, so that errors under them are errors on unseen data. */
  readonly heldOut: boolean;
  /** Among the first of its size: its noise is measured, if most batches turn out to be of that size. */
  readonly noise: boolean;
  /** Measured layer by layer, too. */
  readonly pooled: boolean;
}

/** What was seen of batches that are alike in size and shape. */
interface Kind {
  /** Per channel, in the first application to the first of them. */
  readonly values: number;
  readonly pooled: Moments[];
}

/** Records a site, batch by batch. */
export class SiteRecorder {
  /** Of `population`, each batch one cluster. */
  readonly errors: ClusterErrors = clusterErrors();
  /** Per batch of the settled size, the moments of each application. */
  noise: readonly (readonly Moments[])[] = [];
  /** Per batch of the settled size and shape, the moments of all applications together. */
  pooled: readonly Moments[] = [];
  /** Values per channel of one application to a batch of the settled size and shape. */
  values = 0;
  /** How often the site was applied to each batch. */
  applications = 0;
  readonly #population = new MergedMoments();
  readonly #noise = new Map<number, (readonly Moments[])[]>();
  readonly #kinds = new Map<string, Kind>();

  /** The precise statistics: all batches that are not held out (Wu & Johnson 2021, Sec. 3). */
  get population(): Moments | undefined {
    return this.#population.moments;
  }

  /** @param seen the moments of its applications to the batch; none where it was not applied. */
  add(seen: readonly Moments[], role: BatchRole): void {
    if (seen.length === 0) return;
    this.applications = seen.length;
    const merged = seen.length === 1 ? seen[0]! : mergeAllMoments(seen);
    const kind = this.#kinds.get(kindOf(role)) ?? { values: seen[0]!.count, pooled: [] };
    this.#kinds.set(kindOf(role), kind);
    if (role.pooled) kind.pooled.push(merged);
    if (role.noise) {
      const noise = this.#noise.get(role.samples) ?? [];
      noise.push(seen);
      this.#noise.set(role.samples, noise);
    }
    if (role.heldOut) return;
    this.#population.add(merged);
    this.errors.add(merged);
  }

  /** After the last batch: which size and shape most have. What was remembered of others is forgotten. */
  settle(common: Alike): void {
    const { values = 0, pooled = [] } = this.#kinds.get(kindOf(common)) ?? {};
    this.values = values;
    this.noise = this.#noise.get(common.samples) ?? [];
    this.pooled = pooled;
    this.#kinds.clear();
    this.#noise.clear();
  }
}

/** The largest input of a site, when a batch of the settled size and shape runs, in bytes. */
export function largestInput(recorders: readonly SiteRecorder[]): number {
  return Math.max(...recorders.map(({ population, values }) => 4 * values * (population?.mean.length ?? 0)));
}
