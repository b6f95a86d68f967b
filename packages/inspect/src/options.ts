// The options of an inspection, checked and with their defaults. Those about data are `recalibrate`'s own.
import type { Reference } from '@rebatch/domains';
import type { ModelStatistics } from '@rebatch/models';
import {
  abortSignal,
  anything,
  callable,
  checkOptions,
  either,
  flag,
  integer,
  type OptionRules,
  oneOf,
  type Rule,
} from '@rebatch/stats/~internal';
import { InspectionOptionError } from './errors.ts';
import type { QuantizedSpec } from './faults/grid.ts';

/** Where an inspection is; see {@link InspectionOptions.onProgress}. */
export interface InspectionProgress {
  /**
   * `'statistics'`: one forward over the data; `'accumulation'`: the layerwise statistics of a part of it; `'errors'`:
   * the held-out batches under each kind of statistics.
   */
  readonly phase: 'statistics' | 'accumulation' | 'errors';
  /** Batches of this phase that are done. */
  readonly batches: number;
  /** How many there will be, where known. */
  readonly expectedBatches: number | null;
  /** Samples of this phase that are done. */
  readonly samples: number;
}

/** Options of `inspect`. */
export interface InspectionOptions {
  /**
   * Whether to measure errors from the `ys` of the data. Default `'auto'`: if its first batch has some. `false`
   * ignores them, for outputs that are not classes.
   */
  readonly labels?: 'auto' | boolean;
  /**
   * The normalization batch size to inspect: the one of training. The data is cut into such batches, and a remainder
   * is left out. Default: batches as they come.
   */
  readonly batchSize?: number;
  /**
   * How many samples to take: `'all'` until the data ends (default), a number (whole batches are taken, so it may
   * be more), or `'auto'` until the standard errors of the precise statistics are within `tolerance`.
   */
  readonly samples?: number | 'all' | 'auto';
  /** For `'auto'`, as in `recalibrate`: in standard deviations for means, relative for variances. Default 0.02. */
  readonly tolerance?: number;
  /**
   * The weight specs of the artifacts that the model was loaded from: they say on which grid statistics were quantized.
   * Default: where statistics lie on a grid, their values show it.
   */
  readonly weightSpecs?: readonly QuantizedSpec[];
  /**
   * The statistics that training began with, from `captureStatistics`: before fine-tuning, say. Default: means of 0 and
   * variances of 1, as layers begin with.
   */
  readonly before?: ModelStatistics;
  /**
   * What the model's sites see on inputs that it is known to work on, from `captureReference` of `@rebatch/domains`. Then
   * the drift from there is measured, and nothing about batches: the way to inspect models whose statistics are folded
   * into their weights.
   */
  readonly reference?: Reference;
  /** Chooses which batches are held out for errors and which are measured layer by layer. Default 0. */
  readonly seed?: number;
  /** Ends the call with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (progress: InspectionProgress) => void;
}

export const weightSpecsRule: Rule = {
  expected: ['a list of weight specs, as artifacts have them'],
  allows: (value) =>
    Array.isArray(value) && value.every((spec) => typeof (spec as QuantizedSpec | null)?.name === 'string'),
};

const RULES: OptionRules<InspectionOptions> = {
  labels: either(oneOf('auto'), flag),
  batchSize: integer({ least: 1 }),
  seed: integer({ least: 0 }),
  // recalibrate, which they are for, checks them.
  samples: anything,
  tolerance: anything,
  weightSpecs: weightSpecsRule,
  // Held against the model.
  before: anything,
  reference: anything,
  signal: abortSignal,
  onProgress: callable(),
};

/** @throws {InspectionOptionError} for an option that does not exist, or one of this package that is out of its range. */
export function checkInspectionOptions(options: InspectionOptions): void {
  checkOptions('inspect', options, RULES, InspectionOptionError);
}
