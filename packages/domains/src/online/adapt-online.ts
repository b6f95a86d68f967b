// A model that adapts to a stream of frames while it predicts.
import { NormalizationBatchError } from '@rebatch/core';
import { normalizePacked, packedBatchMoments } from '@rebatch/core/~internal';
import {
  type AnyModel,
  BackendChangedError,
  type BatchInputs,
  type ModelStatistics,
  modelOf,
  type NormalizedModel,
  readBatch,
  type Site,
} from '@rebatch/models';
import { NonFiniteActivationError } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import { OnlineAdapterError } from '../errors.ts';
import { type MakeState, makeState } from './make-state.ts';
import type { OnlineState } from './online-state.ts';
import { type OnlineOptions, type OnlineSettings, readOnlineOptions } from './options.ts';

/**
 * Predicts frame by frame with statistics that follow the frames; see `adaptOnline`. What it has learned lies in the
 * adapter: the model is never written to, and other users of it never meet these statistics.
 */
export class OnlineAdapter {
  readonly #model: AnyModel;
  readonly #settings: OnlineSettings;
  readonly #makeState: MakeState;
  #subject!: NormalizedModel;
  #state: OnlineState | undefined;
  #backend = '';
  #frames = 0;
  #skipped = 0;
  /** What predict and statistics still have to throw. */
  #errors: NonFiniteActivationError[] = [];

  /** Use `adaptOnline`. */
  constructor(model: AnyModel, settings: OnlineSettings, make: MakeState) {
    this.#model = model;
    this.#settings = settings;
    this.#makeState = make;
    this.#start();
  }

  /** How many frames have been predicted since the adapter was made or reset, those left out included. */
  get frames(): number {
    return this.#frames;
  }

  /** How many of them were left out for being non-finite, as far as that is known yet; see `predict`. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * Predicts a frame as `model.predict` does, each layer normalized by its statistics with this frame. The whole batch is
   * one forward, whatever its size.
   *
   * A frame for which a layer receives NaN or Infinity is left out of the statistics, and is an error unless
   * `nonFinite: 'skip'` was asked for. On cpu and wasm it is thrown at once; on GPU backends, where that would make each
   * frame wait for the device, by the next call of `predict` or `statistics` that comes after the device has told.
   *
   * @param frame the model's inputs, with a batch axis: one frame or more, which are then one step of the stream.
   * @returns the model's outputs, which are yours to dispose.
   * @throws {InvalidDataError} {InputShapeError} {DisposedTensorError} for inputs that do not fit the model;
   *   {NonFiniteActivationError}; {NormalizationBatchError} with `prior: 0` where a frame has a single value per channel,
   *   which its own statistics would erase; {BackendChangedError}; {OnlineAdapterError} if the adapter or the model is
   *   disposed. The statistics are then as before the call.
   */
  predict(frame: BatchInputs): tf.Tensor | tf.Tensor[] {
    const state = this.#ready();
    this.#throwErrors();
    const { inputs, samples } = readBatch(frame, this.#subject, `Frame ${this.#frames}`);
    let outputs: tf.Tensor[];
    state.begin(samples);
    try {
      outputs = tf.tidy(
        // An output that is an input as it came stays the caller's.
        () => this.#run(state, inputs).map((y) => (inputs.includes(y) ? tf.clone(y) : y)),
      );
    } catch (error) {
      state.abort();
      throw error;
    }
    this.#frames += 1;
    state.finish();
    if (this.#errors.length > 0) tf.dispose(outputs);
    this.#throwErrors();
    return outputs.length === 1 ? outputs[0]! : outputs;
  }

  /**
   * The statistics that normalized the last frame that counts (the source's, before the first), for `applyStatistics`, a
   * statistics bank, or `diffStatistics`.
   *
   * @throws (rejects) as `predict`, for frames that were not finite, and if the adapter is disposed.
   */
  async statistics(): Promise<ModelStatistics> {
    const statistics = await this.#ready().statistics();
    this.#throwErrors();
    return statistics;
  }

  /**
   * Forgets all frames, and reads the source statistics anew: those that the model has now.
   *
   * @throws as `adaptOnline`; the adapter is then as before.
   */
  reset(): void {
    this.#alive();
    this.#start();
  }

  /**
   * Frees what the adapter holds on the device (the check of a frame that is still under way frees itself when it
   * arrives). A second call does nothing.
   */
  dispose(): void {
    this.#state?.dispose();
    this.#state = undefined;
  }

  #start(): void {
    const subject = modelOf('adaptOnline', this.#model);
    checkAlive(subject);
    const state = this.#makeState(subject, this.#settings, (frame, site) => {
      this.#skipped += 1;
      if (this.#settings.nonFinite === 'throw') this.#errors.push(nonFinite(subject.sites[site]!, frame));
    });
    this.#state?.dispose();
    this.#state = state;
    this.#subject = subject;
    this.#backend = tf.getBackend();
    this.#frames = 0;
    this.#skipped = 0;
    this.#errors = [];
  }

  #run(state: OnlineState, inputs: readonly tf.Tensor[]): tf.Tensor[] {
    return this.#subject.run(inputs, ({ site, x }) => this.#normalize(state, site, x))!;
  }

  #normalize(state: OnlineState, site: number, x: tf.Tensor): tf.Tensor {
    const options = this.#subject.sites[site]!.options();
    const moments = packedBatchMoments(x, options);
    const values = x.size / moments.shape[2];
    if (values === 1 && this.#settings.prior === 0) throw singleValue(options.name, x.shape);
    return normalizePacked(x, state.take(site, moments, values), options);
  }

  #alive(): OnlineState {
    if (this.#state !== undefined) return this.#state;
    throw new OnlineAdapterError('The adapter is disposed. Make another one with adaptOnline(model).');
  }

  #ready(): OnlineState {
    const state = this.#alive();
    checkAlive(this.#subject);
    if (tf.getBackend() === this.#backend) return state;
    throw new BackendChangedError(
      `The backend was switched from '${this.#backend}' to '${tf.getBackend()}', but what was learned of the frames is ` +
        'on the first one. Switch back, or start over with reset().',
    );
  }

  #throwErrors(): void {
    const error = this.#errors.shift();
    if (error !== undefined) throw error;
  }
}

/**
 * Adapts a model to a stream while it predicts (test-time adaptation): `adapter.predict(frame)` normalizes each layer by
 * an exponential moving average over the frames, this one included, blended with the statistics that the model has now,
 * the source's, as a prior of so many samples (Schneider et al. 2020). For a camera whose light and weather change, without
 * labels and without looking ahead.
 *
 * A frame counts decay times as much as the next one. The average is of the whole distribution, a mixture: its variance
 * holds how far the frames' means lie apart, too. With n effective samples in it (at most (1 + decay) / (1 - decay) frames
 * of one sample) it has the share n / (prior + n) in what normalizes, from the first frame on. `online-state.ts` has the
 * formulas.
 *
 * Every batch normalization layer is normalized so, stock or converted, frozen or not, in nested models and wrappers, and
 * for layers of several domains that of the scope. A layer that is applied several times in a frame has one state for all:
 * each application is normalized with what is known of the frame by then. A layer that a frame does not reach stays as it
 * is. gamma, beta and the other weights are the model's as they are at each call.
 *
 * @throws {RecalibrationOptionError} for an option that does not exist or is out of its range; {NoBatchNormError} for a model without batch
 *   normalization or not built; {OnlineAdapterError} for one that is disposed; {StatisticsError} on cpu and wasm, for
 *   source statistics that are not finite, unless `prior` is 0.
 */
export function adaptOnline(model: AnyModel, options: OnlineOptions = {}): OnlineAdapter {
  return new OnlineAdapter(model, readOnlineOptions(options), makeState);
}

function checkAlive(model: NormalizedModel): void {
  try {
    model.stored();
  } catch (error) {
    throw new OnlineAdapterError(`Model '${model.name}' is disposed. Adapt a model that is still in use.`, {
      cause: error,
    });
  }
}

function nonFinite({ name }: Site, frame: number): NonFiniteActivationError {
  return new NonFiniteActivationError(
    `Layer '${name}', frame ${frame}: expected finite activations, got NaN, Infinity or values too large for float32. ` +
      'The frame does not count. Look for NaN in the frame and in the weights, or leave such frames out with ' +
      "nonFinite: 'skip'.",
  );
}

function singleValue(name: string, shape: readonly number[]): NormalizationBatchError {
  return new NormalizationBatchError(
    `Layer '${name}': expected at least 2 values per channel in a frame, got 1 (shape [${shape.join(', ')}]). With ` +
      'prior: 0 its own statistics may be all that normalizes it, which would erase it: use a prior, or several samples ' +
      'per frame.',
  );
}
