// PreciseBN and then FrozenBN for the last epochs of a training, as a callback.
import { batchNormLayers, type FrozenAffine, freezeBatchNorm } from '@rebatch/layers';
import type { RecalibrationData } from '@rebatch/models';
import { holdStatistics } from '@rebatch/models/~internal';
import {
  anything,
  callable,
  checkOptions,
  integer,
  type OptionRules,
  oneOf,
  required,
  shown,
} from '@rebatch/stats/~internal';
import { RecalibrationOptionError } from '../errors.ts';
import type { RecalibrationOptions } from '../options.ts';
import { recalibrate } from '../recalibrate.ts';
import type { RecalibrationReport } from '../report.ts';
import { checkRecalibration, TrainingCallback } from './training-callback.ts';

/** Options of `freezeStatistics`. */
export interface FreezeStatisticsOptions {
  /** For how many epochs at the end of training the statistics are frozen: 1 up to all of them. */
  readonly lastEpochs: number;
  /** What the statistics are computed from: the training data. Read once, unless `recalibrate.mode` is `'layerwise'`. */
  readonly data: RecalibrationData;
  /** How they are computed; see `recalibrate`. */
  readonly recalibrate?: RecalibrationOptions;
  /** Whether gamma and beta are constants from then on, too (`'fixed'`, default), or `'trainable'`. */
  readonly affine?: FrozenAffine;
  /** Called when the layers are frozen, with the epoch that is about to begin (from 0, as tf.layers counts). */
  readonly onFreeze?: (epoch: number, report: RecalibrationReport) => void | Promise<void>;
}

const RULES: OptionRules<FreezeStatisticsOptions> = {
  lastEpochs: required(integer({ least: 1 })),
  data: anything,
  recalibrate: anything,
  affine: oneOf('fixed', 'trainable'),
  onFreeze: callable(),
};

/** See `freezeStatistics`. */
export class FreezeStatistics extends TrainingCallback {
  readonly #options: FreezeStatisticsOptions;
  #frozen = false;

  constructor(options: FreezeStatisticsOptions) {
    super();
    checkOptions('freezeStatistics', options, RULES, RecalibrationOptionError);
    checkRecalibration('freezeStatistics', options.data, options.recalibrate, false);
    this.#options = options;
  }

  override async onTrainBegin(): Promise<void> {
    this.#frozen = false;
    this.checkModel();
    this.#firstEpoch();
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    const first = this.#firstEpoch();
    if (this.#frozen || epoch < first) return;
    // A training that goes on within its last epochs has its statistics already.
    const resumed =
      epoch > first && batchNormLayers(this.trainee).every((layer) => 'frozen' in layer && layer.frozen);
    if (!resumed) await this.#freeze(epoch);
    this.#frozen = true;
  }

  async #freeze(epoch: number): Promise<void> {
    const { data, affine, onFreeze } = this.#options;
    const held = holdStatistics(this.subject);
    let report: RecalibrationReport;
    try {
      report = await recalibrate(this.subject, data, this.#options.recalibrate);
      try {
        freezeBatchNorm(this.trainee, affine ? { affine } : {});
      } catch (error) {
        held.restore();
        throw error;
      }
    } finally {
      held.dispose();
    }
    await onFreeze?.(epoch, report);
  }

  /** The epoch that is the first frozen one. `epochs` counts from the first training on, as fit's `initialEpoch`. */
  #firstEpoch(): number {
    const { name } = this.trainee;
    const { epochs } = this.params;
    const { lastEpochs } = this.#options;
    if (typeof epochs === 'number' && lastEpochs <= epochs) return epochs - lastEpochs;
    throw new RecalibrationOptionError(
      `freezeStatistics: expected option lastEpochs to be at most the number of epochs that model '${name}' is ` +
        `trained for, ${shown(epochs)}, got ${lastEpochs}.`,
    );
  }
}

/**
 * A callback for `model.fit` and `fitDataset` that ends a training as "Rethinking 'Batch' in BatchNorm" advises
 * (Wu & Johnson 2021, Sec. 4.3): before the first of the last epochs it computes precise statistics (PreciseBN,
 * `recalibrate`), and freezes the batch normalization layers on them (FrozenBN, `freezeBatchNorm` of
 * `@rebatch/layers`), so that for the rest the model trains exactly as it will run at inference.
 *
 * The model stays frozen when training ends; `unfreezeBatchNorm` undoes that, and should before it is trained anew.
 * Training that is stopped before its last epochs, as by early stopping, is never frozen. With `initialEpoch` within
 * the last epochs, a model that is frozen goes on as it is, any other is frozen at once. One instance serves one
 * training at a time.
 *
 * Put it into a list with other callbacks; plain objects among them have to be wrapped:
 * `callbacks: [freezeStatistics(...), new tfl.CustomCallback({ onEpochEnd })]`.
 *
 * @throws {RecalibrationOptionError} for an option that does not exist or is out of its range. {InvalidDataError} for data that is missing or
 *   cannot be read. Training itself rejects, at its start, for more `lastEpochs` than epochs, and with
 *   {NoBatchNormError} or {TrainingCallbackError}; later with what `recalibrate` or `freezeBatchNorm` rejects with:
 *   then the model is not frozen and its moving statistics are as they were.
 */
export function freezeStatistics(options: FreezeStatisticsOptions): FreezeStatistics {
  return new FreezeStatistics(options);
}
