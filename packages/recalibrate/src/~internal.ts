// What sibling packages use of this one, and users don't: it may change in any release.
export type { Seen } from './accumulator.ts';
export { checkUnfolded } from './checks.ts';
export { type Estimated, estimate } from './estimate.ts';
export { warningsOfInputs } from './inputs.ts';
export { type Observed, observeBatches } from './observe-batches.ts';
export { recalibrationRules } from './options.ts';
export type { BatchObserver } from './pass.ts';
export { recalibrateFor } from './recalibrate.ts';
export type { EstimateFor } from './start-run.ts';
export { summarizeShift } from './summaries.ts';
