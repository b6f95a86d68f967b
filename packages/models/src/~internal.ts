// What sibling packages use of this one, and users don't: it may change in any release.
export { breather } from './breathe.ts';
export { firstSamples, onlyBatchSize, readInputs } from './data/batch.ts';
export { type Elements, elementsOf, keysOf, openSource, type Source, sourceOf } from './data/source.ts';
export { isNormalizedModel } from './normalized-model.ts';
export { OverSite, UNLIMITED } from './over-site.ts';
export { type HeldStatistics, holdStatistics } from './statistics/hold-statistics.ts';
export {
  checkStatistics,
  readStatistics,
  withDeviceStatistics,
  writeStatistics,
} from './statistics/statistics.ts';
export { unusable } from './statistics/unusable.ts';
