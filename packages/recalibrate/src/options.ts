/** The options of a recalibration, checked and with their defaults. */
import { type Estimator, populationVariance } from '@rebatch/estimators';
import { RecalibrationOptionError } from './errors.ts';

/**
 * `'batch'` is PreciseBN (Wu & Johnson 2021, Sec. 3): one pass over the data in which every layer normalizes by the
 * batch at hand, as in training. `'layerwise'` measures a layer with all layers before it on their new statistics:
 * as many passes as layers follow on each other, and the exact statistics of the network that will run.
 */
export type RecalibrationMode = 'batch' | 'layerwise';

/** Where a recalibration is; see {@link RecalibrationOptions.onProgress}. */
export interface RecalibrationProgress {
  readonly mode: RecalibrationMode;
  /** The running pass, from 1. */
  readonly pass: number;
  readonly passes: number;
  /** Batches and samples of this pass so far. */
  readonly batches: number;
  readonly samples: number;
  /** The samples that this pass will take, where known. */
  readonly expectedSamples: number | null;
}

/** Options of `recalibrate` and `estimateStatistics`. */
export interface RecalibrationOptions {
  /** Makes the estimator of one layer; called once per layer. Default `populationVariance`, as PreciseBN. */
  readonly estimator?: () => Estimator;
  /** Default `'batch'`. */
  readonly mode?: RecalibrationMode;
  /**
   * How many samples each pass takes: `'all'` until the data ends (default); a number, of which 10^3 to 10^4 are
   * near optimal in the paper; `'auto'` until the standard errors are within `tolerance`. Mode `'batch'` takes whole
   * batches, so it may take more than the number; `'layerwise'` takes exactly as many.
   */
  readonly samples?: number | 'all' | 'auto';
  /**
   * For `'auto'`: the standard error of the means, in standard deviations, and of the variances, as a fraction of
   * the variance, that is small enough; root mean square over the channels of the worst layer. Default 0.02.
   */
  readonly tolerance?: number;
  /**
   * For how many samples the statistics count that the model has when the call begins (the pseudo-sample size of
   * Schneider et al. 2020): (prior * old + samples * new) / (prior + samples), for means and variances each, with
   * `samples` as many as were taken in. Mode `'layerwise'` measures each layer behind layers on their blended
   * statistics, as the model will run. Default 0: the old ones are replaced.
   */
  readonly prior?: number;
  /** What to do when a layer receives NaN or Infinity: throw (default), or leave the batch out and count it. */
  readonly nonFinite?: 'throw' | 'skip';
  /** Ends the call with `signal.reason`; the model stays as it was. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (progress: RecalibrationProgress) => void;
}

/** Options with nothing left to decide. */
export interface Settings {
  readonly estimator: () => Estimator;
  readonly mode: RecalibrationMode;
  readonly samples: number | 'all' | 'auto';
  readonly tolerance: number;
  readonly prior: number;
  readonly nonFinite: 'throw' | 'skip';
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: RecalibrationProgress) => void) | undefined;
}

/** @throws {RecalibrationOptionError} for an option out of its range. */
export function readOptions(options: RecalibrationOptions): Settings {
  const settings: Settings = {
    estimator: options.estimator ?? populationVariance,
    mode: options.mode ?? 'batch',
    samples: options.samples ?? 'all',
    tolerance: options.tolerance ?? 0.02,
    prior: options.prior ?? 0,
    nonFinite: options.nonFinite ?? 'throw',
    signal: options.signal,
    onProgress: options.onProgress,
  };
  const { estimator, mode, samples, tolerance, prior, nonFinite } = settings;
  const count = typeof samples === 'number' && Number.isSafeInteger(samples) && samples >= 1;
  demand(
    typeof estimator === 'function',
    'estimator',
    'a function that makes an estimator (populationVariance, or () => ema({ decay: 0.9 }))',
    estimator,
  );
  demand(mode === 'batch' || mode === 'layerwise', 'mode', "'batch' or 'layerwise'", mode);
  demand(
    count || samples === 'all' || samples === 'auto',
    'samples',
    "an integer >= 1, 'all' or 'auto'",
    samples,
  );
  demand(tolerance > 0 && tolerance < Infinity, 'tolerance', 'a finite number > 0', tolerance);
  demand(Number.isFinite(prior) && prior >= 0, 'prior', 'a finite number >= 0 (of samples)', prior);
  demand(nonFinite === 'throw' || nonFinite === 'skip', 'nonFinite', "'throw' or 'skip'", nonFinite);
  return settings;
}

function demand(met: boolean, name: string, expected: string, came: unknown): void {
  if (met) return;
  const shown = typeof came === 'object' && came !== null ? 'an object' : JSON.stringify(came);
  throw new RecalibrationOptionError(`Option ${name}: expected ${expected}, got ${shown ?? String(came)}.`);
}
