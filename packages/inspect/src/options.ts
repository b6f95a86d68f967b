/** The options of an inspection, checked and with their defaults. Those about data are `recalibrate`'s own. */
import { InspectionOptionError } from './errors.ts';

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
  /** Chooses which batches are held out for errors and which are measured layer by layer. Default 0. */
  readonly seed?: number;
  /** Ends the call with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (progress: InspectionProgress) => void;
}

/** @throws {InspectionOptionError} for an option of this package that is out of its range. */
export function checkOptions({ labels = 'auto', batchSize = 1, seed = 0 }: InspectionOptions): void {
  demand(labels === 'auto' || typeof labels === 'boolean', 'labels', "'auto', true or false", labels);
  demand(Number.isSafeInteger(batchSize) && batchSize >= 1, 'batchSize', 'an integer >= 1', batchSize);
  demand(Number.isSafeInteger(seed) && seed >= 0, 'seed', 'an integer >= 0', seed);
}

function demand(met: boolean, name: string, expected: string, came: unknown): void {
  if (met) return;
  const shown = typeof came === 'object' && came !== null ? 'an object' : JSON.stringify(came);
  throw new InspectionOptionError(`Option ${name}: expected ${expected}, got ${shown ?? String(came)}.`);
}
