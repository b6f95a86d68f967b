// What sibling packages use of this one, and users don't: it may change in any release.

// What is known of many batches

export { copyClusterErrors } from './cluster-errors.ts';
export { MergedMoments } from './merged-moments.ts';

// What a model answers

export { largestInRow } from './largest-in-row.ts';

// Settings that come from users

export {
  checkNames,
  checkOptions,
  checkValue,
  type MakeError,
  type OptionRules,
} from './options/check-options.ts';
export { nearest } from './options/nearest.ts';
export {
  abortSignal,
  anything,
  callable,
  either,
  finite,
  flag,
  integer,
  oneOf,
  type Range,
  type Rule,
  required,
} from './options/rules.ts';
export { shown } from './options/shown.ts';
