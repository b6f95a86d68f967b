// Validation metrics under precise statistics, while training goes on with its own, as a callback.
import type { NormalizedModel, RecalibrationData } from '@rebatch/models';
import { holdStatistics, writeStatistics } from '@rebatch/models/~internal';
import { anything, callable, checkOptions, integer, type OptionRules } from '@rebatch/stats/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { RecalibrationOptionError } from '../errors.ts';
import type { StatisticsEstimate } from '../finish.ts';
import type { RecalibrationOptions } from '../options.ts';
import { estimateStatistics } from '../recalibrate.ts';
import { checkRecalibration, TrainingCallback } from './training-callback.ts';
import {
  type Evaluation,
  metricNames,
  readValidation,
  type Scope,
  type ValidationData,
} from './validation.ts';

/** Options of `validateRecalibrated`. */
export interface ValidateRecalibratedOptions {
  /** What the statistics are computed from, anew each time: training data, never that of the validation. */
  readonly data: RecalibrationData;
  /** What the metrics are computed on. */
  readonly validationData: ValidationData;
  /** After how many epochs each time: with 5, after the fifth, the tenth and so on. Default 1. */
  readonly every?: number;
  /** Samples per batch of the validation with tensors, default 32. Changes the time it takes, not the metrics. */
  readonly batchSize?: number;
  /** How the statistics are computed; see `recalibrate`. */
  readonly recalibrate?: RecalibrationOptions;
  /** Called with the metrics, by the names they have in the logs, and the epoch (from 0, as tf.layers counts). */
  readonly onResult?: (epoch: number, metrics: Readonly<Record<string, number>>) => void | Promise<void>;
}

const RULES: OptionRules<ValidateRecalibratedOptions> = {
  data: anything,
  validationData: anything,
  every: integer({ least: 1 }),
  batchSize: integer({ least: 1 }),
  recalibrate: anything,
  onResult: callable(),
};

/** See `validateRecalibrated`. */
export class ValidateRecalibrated extends TrainingCallback {
  readonly #options: ValidateRecalibratedOptions;
  readonly #every: number;
  readonly #evaluation: Evaluation;

  constructor(options: ValidateRecalibratedOptions) {
    super();
    checkOptions('validateRecalibrated', options, RULES, RecalibrationOptionError);
    const { data, every = 1, validationData, batchSize } = options;
    checkRecalibration('validateRecalibrated', data, options.recalibrate, true);
    this.#evaluation = readValidation('validateRecalibrated', validationData, batchSize);
    this.#every = every;
    this.#options = options;
  }

  override async onTrainBegin(): Promise<void> {
    this.checkModel();
  }

  override async onEpochEnd(
    epoch: number,
    logs: Parameters<tfl.Callback['onEpochEnd']>[1] = {},
  ): Promise<void> {
    if ((epoch + 1) % this.#every !== 0) return;
    const { data, recalibrate, onResult } = this.#options;
    const { subject, trainee: model } = this;
    const { statistics } = await estimateStatistics(subject, data, recalibrate);
    const scope: Scope = (body) => runUnder(subject, statistics, body);
    const values = await this.#evaluation(model, scope, recalibrate?.signal);
    const metrics: Record<string, number> = {};
    for (const [i, name] of metricNames(model).entries()) metrics[`val_${name}_precise`] = values[i]!;
    Object.assign(logs, metrics);
    await onResult?.(epoch, metrics);
  }
}

/** Runs `body` with other statistics than the model's own, which it has again when this returns or throws. */
function runUnder<T>(model: NormalizedModel, statistics: StatisticsEstimate['statistics'], body: () => T): T {
  const held = holdStatistics(model);
  try {
    // A site that the model never applies has no estimate, and keeps what it has.
    writeStatistics(
      model,
      statistics.map((estimate) => (estimate.count > 0 ? estimate : undefined)),
    );
    return body();
  } finally {
    held.restore();
    held.dispose();
  }
}

/**
 * A callback for `model.fit` and `fitDataset` that tells what the model's validation metrics would be after PreciseBN
 * ("Rethinking 'Batch' in BatchNorm", Wu & Johnson 2021, Sec. 3), where fit's own validation uses the moving averages,
 * which lag behind. It estimates precise statistics, evaluates the model under them, and puts the moving averages back
 * bit by bit: training goes on as if it had not been there.
 *
 * The metrics are added to the epoch's logs as `val_<metric>_precise` (`val_loss_precise`), so they are in the history
 * that training resolves to, and callbacks that come later in the list can watch them
 * (`tfl.callbacks.earlyStopping({ monitor: 'val_loss_precise' })`, with `every: 1`). With `every` above 1 the history
 * has an entry for each validation rather than for each epoch.
 *
 * Nobody else sees the model with the precise statistics: it has them only within synchronous forwards.
 * `recalibrate.signal` ends the validation, too.
 *
 * Put it into a list with other callbacks; plain objects among them have to be wrapped:
 * `callbacks: [validateRecalibrated(...), new tfl.CustomCallback({ onEpochEnd })]`.
 *
 * @throws {RecalibrationOptionError} for an option that does not exist or is out of its range. {InvalidDataError} for data that is missing, of
 *   another kind, without an end, or that can be read only once. Training itself rejects, at its start, with
 *   {NoBatchNormError} or {TrainingCallbackError}; later with what `estimateStatistics`, `model.evaluate` or
 *   `onResult` fails with: then the moving statistics are as they were, too.
 */
export function validateRecalibrated(options: ValidateRecalibratedOptions): ValidateRecalibrated {
  return new ValidateRecalibrated(options);
}
