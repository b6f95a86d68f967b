// What the training callbacks share: bound to their model by fit, and what they can check before training starts.

import { InvalidDataError, layersModel, type NormalizedModel, type RecalibrationData } from '@rebatch/models';
import { openSource } from '@rebatch/models/~internal';
import * as tfl from '@tensorflow/tfjs-layers';
import { TrainingCallbackError } from '../errors.ts';
import { type RecalibrationOptions, readOptions } from '../options.ts';

/** A `tf.Callback` that says so where tf.layers has not given it the model. */
export abstract class TrainingCallback extends tfl.Callback {
  constructor() {
    super();
    // fit takes a callback's methods for those of a plain config if the list starts with one; see `trainee`.
    this.onTrainBegin = this.onTrainBegin.bind(this);
    this.onTrainEnd = this.onTrainEnd.bind(this);
    this.onEpochBegin = this.onEpochBegin.bind(this);
    this.onEpochEnd = this.onEpochEnd.bind(this);
    this.onBatchBegin = this.onBatchBegin.bind(this);
    this.onBatchEnd = this.onBatchEnd.bind(this);
  }

  /** The same model as its batch norms see it. @throws {NoBatchNormError} if it has none. */
  protected get subject(): NormalizedModel {
    return layersModel(this.trainee);
  }

  /** @throws {NoBatchNormError} if the model has none, or {TrainingCallbackError}. */
  protected checkModel(): void {
    layersModel(this.trainee);
  }

  /** The model that is being trained. @throws {TrainingCallbackError} if fit did not pass it on. */
  protected get trainee(): tfl.LayersModel {
    if (this.model && this.params) return this.model;
    throw new TrainingCallbackError(
      `${this.constructor.name}: expected to be given the model that is trained, got none. In a list of callbacks, ` +
        'tf.layers takes either callbacks or plain objects: wrap the objects, callbacks: [ours, ' +
        'new tfl.CustomCallback({ onEpochEnd })]. If there are none, two copies of @tensorflow/tfjs-layers are ' +
        'installed.',
    );
  }
}

/**
 * Everything about a recalibration that can be known before training, so that no hours are lost.
 *
 * @param several whether it will happen more than once.
 * @throws {RecalibrationOptionError} or {InvalidDataError}
 */
export function checkRecalibration(
  callback: string,
  data: RecalibrationData,
  options: RecalibrationOptions = {},
  several: boolean,
): void {
  const { mode, samples } = readOptions(`${callback}, option recalibrate`, options);
  if (data === undefined || data === null) {
    throw new InvalidDataError(
      `${callback}: expected option data, the batches to compute statistics from, got ${data}. ` +
        'Pass the training data: a tf.data.Dataset of batches, an iterable or an array of them, or a tensor.',
    );
  }
  const { repeatable, endless } = openSource(data);
  if (!repeatable && (several || mode === 'layerwise')) {
    throw new InvalidDataError(
      `${callback}: expected data that can be read several times, got a generator or iterator. ` +
        'Pass an array, a tf.data.Dataset, or an object whose [Symbol.iterator] starts anew.',
    );
  }
  if (endless && samples === 'all') {
    throw new InvalidDataError(
      `${callback}: expected data that ends, got a dataset that repeats for ever. ` +
        "Say how many samples: recalibrate: { samples: 1000 }, or 'auto'.",
    );
  }
}
