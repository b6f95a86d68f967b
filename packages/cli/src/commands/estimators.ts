import { ema, meanOfBatchVariance, populationVariance } from '@rebatch/estimators';

/** By the names of --estimator. */
export const ESTIMATORS = { populationVariance, meanOfBatchVariance, ema } as const;
