// A long stream of batches becomes one population, without an array per batch.
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { copyMoments } from './copy-moments.ts';
import { mergeInto } from './merge-moments.ts';
import type { Moments } from './moments.ts';

/** Folds batches with `mergeMoments`: the same numbers. */
export class MergedMoments {
  #moments: Moments | undefined;
  /** Arrays for the next merge: a batch that cannot be merged changes nothing. */
  #next: Moments | undefined;

  /** Of all batches so far; undefined before the first. Good until the next one is added: copy what is to stay. */
  get moments(): Moments | undefined {
    return this.#moments;
  }

  /** @throws MomentsError if the batch is invalid, has other channels or no values, or the result overflows float64. */
  add(batch: Moments): void {
    checkMoments(batch, 'mergeMoments: the second moments');
    if (this.#moments === undefined) {
      this.#moments = copyMoments(batch);
      this.#next = copyMoments(batch);
      return;
    }
    checkSameChannels(this.#moments, batch, 'mergeMoments');
    const merged = mergeInto(this.#next!, this.#moments, batch);
    this.#next = this.#moments;
    this.#moments = merged;
  }

  /** Another one that goes on from here. */
  copy(): MergedMoments {
    const copy = new MergedMoments();
    if (this.#moments !== undefined) copy.add(this.#moments);
    return copy;
  }
}
