// The contract: a stream of batch moments goes in, population statistics come out.
import type { Moments } from '@rebatch/stats';

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type JSONValue =
  | string
  | number
  | boolean
  | null
  | readonly JSONValue[]
  | { readonly [key: string]: JSONValue };

/** An estimator at rest, made by `toJSON()` and read by `estimatorFromJSON()`. The other fields are its own. */
export interface EstimatorState {
  /** Which estimator: its key in the registry. */
  readonly kind: string;
  /** Version of this kind's state, so that files outlive changes to it. */
  readonly version: number;
  readonly [field: string]: JSONValue;
}

/**
 * Turns a stream of batch moments into population statistics, per channel, in float64. `@rebatch/estimators/contract`
 * tests these promises.
 *
 * - A failed call changes nothing; `update` and `merge` leave their argument as it was and keep no memory of it.
 * - `estimate` can be called at any time, returns memory of its own, and no variance of it is negative.
 * - An estimator restored from its JSON goes on exactly as the original would.
 */
export interface Estimator {
  /** The name of the algorithm, equal to its key in the registry. */
  readonly kind: string;

  /**
   * Takes in the moments of one normalization batch. The first batch fixes the number of channels.
   *
   * @throws MomentsError if the moments are invalid, empty, of other channels than before, or of too few values
   *   for this algorithm.
   */
  update(batch: Moments): void;

  /**
   * The population statistics as estimated so far. `count` is the number of values per channel that were seen,
   * unless the algorithm says otherwise.
   *
   * @throws EmptyEstimatorError before the first `update`.
   */
  estimate(): Moments;

  /**
   * Takes in all that `other` has seen: afterwards this is what one estimator would be that saw the batches of both.
   * Associative and commutative, up to rounding. Absent where the order of batches matters.
   *
   * @throws EstimatorMergeError if `other` is of another kind; MomentsError if the channels differ.
   */
  merge?(other: Estimator): void;

  /** The whole state as plain JSON. Call it directly, or let `JSON.stringify` do so. */
  toJSON(): EstimatorState;
}
