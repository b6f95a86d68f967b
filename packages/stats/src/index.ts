/** Moments of a population in float64: merge them, compare them, and know how sure you are. Imports nothing. */
export { checkMoments, checkSameChannels } from './check-moments.ts';
export { emptyMoments } from './empty-moments.ts';
export { MomentsError, RebatchError } from './errors.ts';
export { mergeAllMoments } from './merge-all-moments.ts';
export { copyMoments, mergeMoments } from './merge-moments.ts';
export type { Moments } from './moments.ts';
export { momentsOf } from './moments-of.ts';
