// What is wrong with this model's batches? A report with advice.
export type { InspectionData } from './data.ts';
export { InspectionError, InspectionOptionError, LabelsError, NotQuantizedError } from './errors.ts';
export type { QuantizedSpec } from './faults/grid.ts';
export { formatReport } from './format.ts';
export { inspect } from './inspect.ts';
export type { InspectionOptions, InspectionProgress } from './options.ts';
export {
  type RepairedLayer,
  type RepairOptions,
  type RepairReport,
  repairQuantization,
} from './repair-quantization.ts';
export type {
  Accumulation,
  Advice,
  AdviceKind,
  BatchNoise,
  DriftErrors,
  ErrorComparison,
  ErrorRate,
  InputScale,
  InspectionReport,
  LayerInspection,
  MovingAverage,
  NearDeadChannel,
  Quantization,
  Shift,
  StoredShift,
} from './report.ts';
export { ADVICE_THRESHOLDS } from './thresholds.ts';
