// What can go wrong with an estimator. A bad batch is a `MomentsError`, as everywhere in Rebatch.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class EstimatorError extends RebatchError {}

/** An option of an estimator is out of its range; says which, what is allowed and what came. */
export class EstimatorOptionError extends EstimatorError {}

/** `estimate()` was called before the first `update()`: there is nothing to estimate from. */
export class EmptyEstimatorError extends EstimatorError {
  constructor(kind: string) {
    super(`${kind}: no batch has been seen, so there is nothing to estimate. Call update() first.`);
  }
}

/** Two estimators cannot be merged: they are of different kinds. */
export class EstimatorMergeError extends EstimatorError {}

/** A serialized estimator is not what `toJSON()` writes; says the kind, what was expected and what came. */
export class EstimatorStateError extends EstimatorError {}
