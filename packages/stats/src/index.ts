// Moments of a population in float64: merge them, compare them, and know how sure you are. Imports nothing.

// Moments, from values and back to plain JSON

export { checkMeanAndVariance, checkMoments, checkSameChannels } from './check-moments.ts';
export { copyMoments } from './copy-moments.ts';
export { emptyMoments } from './empty-moments.ts';
export type { MeanAndVariance, Moments } from './moments.ts';
export { momentsFromJSON } from './moments-from-json.ts';
export { momentsOf } from './moments-of.ts';
export { type MomentsJSON, momentsToJSON } from './moments-to-json.ts';

// Several populations as one, and one as another

export { biasedVariance } from './biased-variance.ts';
export { matchMoments, type StoredStatistics } from './match-moments.ts';
export { mergeAllMoments } from './merge-all-moments.ts';
export { mergeMoments } from './merge-moments.ts';
export { unbiasedVariance } from './unbiased-variance.ts';

// How far two populations are apart

export { type NormalizedShift, normalizedShift } from './normalized-shift.ts';
export { symmetricKL } from './symmetric-kl.ts';
export type { EpsilonOptions } from './variance-floor.ts';

// How sure one may be of moments

export {
  type ClusterErrors,
  type ClusterErrorsJSON,
  clusterErrors,
  clusterErrorsFromJSON,
} from './cluster-errors.ts';
export { clusteredStandardErrors } from './clustered-standard-errors.ts';
export { relativeErrors } from './relative-errors.ts';
export { samplesForTolerance } from './samples-for-tolerance.ts';
export { type StandardErrors, standardErrors } from './standard-errors.ts';

// Errors

export { MomentsError, RebatchError } from './errors.ts';
