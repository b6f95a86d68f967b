// Estimators of population statistics from a stream of batch moments. One file each; `registry.ts` lists them.

// What every estimator promises, and how a saved one is restored

export type { Estimator, EstimatorState, JSONValue } from './estimator.ts';
export { estimatorFromJSON } from './estimator-from-json.ts';

// Errors

export {
  EmptyEstimatorError,
  EstimatorError,
  EstimatorMergeError,
  EstimatorOptionError,
  EstimatorStateError,
} from './errors.ts';

// The estimators

export { type EmaOptions, ema } from './ema.ts';
export { meanOfBatchVariance } from './mean-of-batch-variance.ts';
export { populationVariance } from './population-variance.ts';
export { type SlidingWindowOptions, slidingWindow } from './sliding-window.ts';
