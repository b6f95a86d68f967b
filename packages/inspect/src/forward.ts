// Running a model with other statistics than its own, which stay as they are.
import { normalize } from '@rebatch/core';
import { allOrNone, normalizePacked, preciseBatchNormalize } from '@rebatch/core/~internal';
import { BackendChangedError, type NormalizedModel, type Visitor } from '@rebatch/models';
import type { MeanAndVariance } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';

/** The model that is inspected. */
export interface Subject {
  readonly model: NormalizedModel;
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

/** Statistics of all sites on the device, as ops take them that need not pack them first: [2, 1, channels] each. */
export type DeviceStatistics = readonly tf.Tensor3D[];

/** Runs the model on a batch with `visit` in the place of each normalization, to its end. Tidy it. */
export function runWith(
  { model }: Subject,
  inputs: readonly tf.Tensor[],
  visit: (...application: Parameters<Visitor>) => tf.Tensor,
): tf.Tensor[] {
  return model.run(inputs, visit)!;
}

/** The outputs for one batch, normalized by the statistics given, or by the batch's own. Tidy it. */
export function outputsUnder(
  subject: Subject,
  inputs: readonly tf.Tensor[],
  statistics: DeviceStatistics | 'batch',
): tf.Tensor {
  const [output] = runWith(subject, inputs, ({ site, x, whole }) => {
    const options = subject.model.sites[site]!.options();
    if (statistics !== 'batch') return normalizePacked(x, statistics[site]!, options);
    return whole === undefined ? preciseBatchNormalize(x, options).y : normalize(x, whole, options);
  });
  return output!;
}

/** Copies on the device; dispose them. */
export function onDevice(statistics: readonly MeanAndVariance[]): DeviceStatistics {
  return allOrNone((add) =>
    statistics.map(({ mean, variance }) => {
      const both = new Float32Array(2 * mean.length);
      both.set(mean);
      both.set(variance, mean.length);
      return add(tf.tensor3d(both, [2, 1, mean.length]));
    }),
  );
}
