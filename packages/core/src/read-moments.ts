import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { BatchMoments } from './batch-moments.ts';
import { InvalidInputError } from './errors.ts';

/**
 * Reads the moments of many layers from the device at once: they are packed into one tensor and read back
 * asynchronously, so that a GPU stalls at most once per batch instead of once per layer.
 *
 * @param batches moments as batchMoments and batchNormalize return them. They may be disposed as soon as this
 *   function has returned its promise; it does not dispose them itself.
 * @returns for each entry the moments of its groups, in float64; one for an entry without groups.
 * @throws {InvalidInputError} (rejects) if a tensor is disposed or mean and variance differ in shape.
 */
export async function readMoments(batches: readonly BatchMoments[]): Promise<Moments[][]> {
  if (batches.length === 0) return [];
  batches.forEach(({ mean, variance }, i) => {
    if (mean.isDisposed || variance.isDisposed) {
      throw new InvalidInputError(
        `readMoments: the moments at index ${i} are already disposed. Read them earlier.`,
      );
    }
    if (mean.rank < 1 || mean.rank > 2 || mean.shape.join() !== variance.shape.join()) {
      throw new InvalidInputError(
        `readMoments: expected mean and variance of one shape, [channels] or [groups, channels], ` +
          `at index ${i}, got [${mean.shape.join(', ')}] and [${variance.shape.join(', ')}].`,
      );
    }
  });
  const packed = tf.tidy(() =>
    tf.concat1d(batches.flatMap(({ mean, variance }) => [flat(mean), flat(variance)])),
  );
  try {
    return split(await packed.data<'float32'>(), batches.map(describe));
  } finally {
    packed.dispose();
  }
}

const flat = (tensor: tf.Tensor) => tf.reshape(tensor, [tensor.size]) as tf.Tensor1D;

interface Entry {
  readonly groups: number;
  readonly channels: number;
  readonly count: number;
}

function describe({ mean, count }: BatchMoments): Entry {
  const channels = mean.shape[mean.rank - 1]!;
  return { groups: mean.size / channels, channels, count };
}

function split(values: Float32Array, entries: readonly Entry[]): Moments[][] {
  let offset = 0;
  const take = (length: number) => {
    const start = offset;
    offset += length;
    return Float64Array.from(values.subarray(start, offset));
  };
  return entries.map(({ groups, channels, count }) => {
    const mean = take(groups * channels);
    const variance = take(groups * channels);
    return Array.from({ length: groups }, (_, g) => ({
      count,
      mean: mean.slice(g * channels, (g + 1) * channels),
      variance: variance.slice(g * channels, (g + 1) * channels),
    }));
  });
}
