/** Estimators of population statistics from a stream of batch moments. One file each; `registry.ts` lists them. */
export { type EmaOptions, ema } from './ema.ts';
export {
  EmptyEstimatorError,
  EstimatorError,
  EstimatorMergeError,
  EstimatorOptionError,
  EstimatorStateError,
} from './errors.ts';
export type { Estimator, EstimatorState, JSONValue } from './estimator.ts';
export { estimatorFromJSON } from './estimator-from-json.ts';
export { meanOfBatchVariance } from './mean-of-batch-variance.ts';
export { populationVariance } from './population-variance.ts';
export { type SlidingWindowOptions, slidingWindow } from './sliding-window.ts';
