/** Running a model with other statistics than its own, which stay as they are. */
import { batchNormalize, normalize } from '@rebatch/core';
import type { BatchNormLayer } from '@rebatch/layers';
import { BackendChangedError, type CallHook, interceptCalls, normalizeOptions } from '@rebatch/recalibrate';
import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { tensorsIn } from './tensors.ts';

/** A model and its layers that have statistics, in the order of recalibrate's results. */
export interface Subject {
  readonly model: tfl.LayersModel;
  readonly layers: readonly BatchNormLayer[];
  /** Of TensorFlow.js when the inspection began. */
  readonly backend: string;
}

/** @throws {BackendChangedError} if the backend is another one now: numbers of two are not to be compared. */
export function checkBackend({ backend }: Subject): void {
  if (tf.getBackend() === backend) return;
  throw new BackendChangedError(
    `The backend was switched from '${backend}' to '${tf.getBackend()}' during the inspection. ` +
      'Switch before or after.',
  );
}

/** Statistics of all layers on the device, [channels] each. */
export type DeviceStatistics = readonly { readonly mean: tf.Tensor; readonly variance: tf.Tensor }[];

/** Runs the model as at inference (dropout off) with `hook` in place of each normalization. Tidy it. */
export function runWith({ model, layers }: Subject, batch: unknown, hook: CallHook): tf.Tensor[] {
  const float: CallHook = (call, x, part) =>
    hook(call, x.dtype === 'float32' ? x : tf.cast(x, 'float32'), part);
  return interceptCalls(layers, float, () =>
    [model.apply(tensorsIn(batch), { training: false })].flat(),
  ) as tf.Tensor[];
}

/** The outputs for one batch, normalized by the statistics given, or by the batch's own. Tidy it. */
export function outputsUnder(
  subject: Subject,
  batch: unknown,
  statistics: DeviceStatistics | 'batch',
): tf.Tensor {
  const [output] = runWith(subject, batch, ({ layer }, x, part) => {
    const options = normalizeOptions(subject.layers[layer]!);
    if (statistics !== 'batch') return normalize(x, statistics[layer]!, options);
    return part === undefined ? batchNormalize(x, options).y : normalize(x, part, options);
  });
  return output!;
}

/** The statistics that the layers hold; the layers' own tensors, not to be disposed. */
export function storedOnDevice(layers: readonly BatchNormLayer[]): DeviceStatistics {
  return layers.map(({ movingMean, movingVariance }) => ({
    mean: movingMean.read(),
    variance: movingVariance.read(),
  }));
}

/** Copies on the device; dispose them. */
export function onDevice(statistics: readonly Omit<Moments, 'count'>[]): DeviceStatistics {
  return statistics.map(({ mean, variance }) => ({
    mean: tf.tensor1d(Float32Array.from(mean)),
    variance: tf.tensor1d(Float32Array.from(variance)),
  }));
}
