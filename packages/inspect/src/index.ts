/** What is wrong with this model's batches? A report with advice. */
export type { InspectionData } from './data.ts';
export { InspectionError, InspectionOptionError, LabelsError } from './errors.ts';
export { formatReport } from './format.ts';
export { inspect } from './inspect.ts';
export type { InspectionOptions, InspectionProgress } from './options.ts';
export type {
  Accumulation,
  Advice,
  AdviceKind,
  BatchNoise,
  ErrorComparison,
  ErrorRate,
  InspectionReport,
  LayerInspection,
  Shift,
  StoredShift,
} from './report.ts';
export { ADVICE_THRESHOLDS } from './thresholds.ts';
