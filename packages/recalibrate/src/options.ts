// The options of a recalibration, checked and with their defaults.
import { type Estimator, populationVariance } from '@rebatch/estimators';
import {
  abortSignal,
  callable,
  checkOptions,
  either,
  finite,
  integer,
  type OptionRules,
  oneOf,
} from '@rebatch/stats/~internal';
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
   * batches, so it may take more than the number; so does `'layerwise'` for a graph that was built for batches of one
   * size, and else it takes exactly as many.
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
  /**
   * For mode `'layerwise'`: how many bytes of activations may be kept between its passes, so that each computes what
   * follows the last measured layers and not the whole model again. Default 512 MiB; 0 keeps none. The statistics are the
   * same either way; so is the memory that a forward of one batch takes by itself.
   */
  readonly activationBytes?: number;
  /**
   * For mode `'batch'`: what to do where a normalization batch has a single value per channel, such as one image of 1x1:
   * `'throw'`, or `'normalize'` it all the same, as TensorFlow does: what follows is measured behind an output of beta.
   * Default: as each layer does in training, which is to throw unless it is set otherwise.
   */
  readonly singleValue?: 'throw' | 'normalize';
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
  readonly activationBytes: number;
  readonly singleValue: 'throw' | 'normalize' | undefined;
  readonly nonFinite: 'throw' | 'skip';
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: RecalibrationProgress) => void) | undefined;
}

/** What layerwise passes may keep unless the caller says otherwise. */
const ACTIVATION_BYTES = 512 * 2 ** 20;

/** What each option may be. */
export const recalibrationRules: OptionRules<RecalibrationOptions> = {
  estimator: callable(
    'a function that makes an estimator (populationVariance, or () => ema({ decay: 0.9 }))',
  ),
  mode: oneOf('batch', 'layerwise'),
  samples: either(integer({ least: 1 }), oneOf('all', 'auto')),
  tolerance: finite({ above: 0 }),
  prior: finite({ least: 0 }),
  activationBytes: either(finite({ least: 0 }), oneOf(Number.POSITIVE_INFINITY)),
  singleValue: oneOf('throw', 'normalize'),
  nonFinite: oneOf('throw', 'skip'),
  signal: abortSignal,
  onProgress: callable(),
};

/**
 * @param who whose options they are, for messages.
 * @throws {RecalibrationOptionError} for an option that does not exist or is out of its range.
 */
export function readOptions(who: string, options: RecalibrationOptions): Settings {
  checkOptions(who, options, recalibrationRules, RecalibrationOptionError);
  return {
    estimator: options.estimator ?? populationVariance,
    mode: options.mode ?? 'batch',
    samples: options.samples ?? 'all',
    tolerance: options.tolerance ?? 0.02,
    prior: options.prior ?? 0,
    activationBytes: options.activationBytes ?? ACTIVATION_BYTES,
    singleValue: options.singleValue,
    nonFinite: options.nonFinite ?? 'throw',
    signal: options.signal,
    onProgress: options.onProgress,
  };
}
