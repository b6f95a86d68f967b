// Every estimator that can be restored by name. One line each; the key is the estimator's `kind`.
import { emaFromJSON } from './ema.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { meanOfBatchVarianceFromJSON } from './mean-of-batch-variance.ts';
import { populationVarianceFromJSON } from './population-variance.ts';
import { slidingWindowFromJSON } from './sliding-window.ts';

/** From the `kind` of a state to the function that restores it. */
export const registry: ReadonlyMap<string, (state: EstimatorState) => Estimator> = new Map([
  ['ema', emaFromJSON],
  ['meanOfBatchVariance', meanOfBatchVarianceFromJSON],
  ['populationVariance', populationVarianceFromJSON],
  ['slidingWindow', slidingWindowFromJSON],
]);
