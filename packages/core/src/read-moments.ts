import type { MeanAndVariance, Moments } from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type { CountedMoments } from './batch-moments.ts';
import type { ChannelMoments } from './channel-moments.ts';
import { InvalidInputError } from './errors.ts';
import { assertGiven, assertTensor } from './inputs.ts';

type MaybeCounted = ChannelMoments & Partial<Pick<CountedMoments, 'count'>>;

/**
 * Reads the moments of many layers from the device at once: they are packed into one tensor and read back
 * asynchronously, so that a GPU stalls at most once per batch instead of once per layer.
 *
 * @param batches moments as batchMoments and batchNormalize return them, with a count that only the device knows (a float32
 *   scalar), or a mean and a variance without a count. They may be disposed as soon as this function has returned its
 *   promise; it does not dispose them itself.
 * @returns for each entry the moments of its groups, in float64, with a count where the entry has one; one for an entry
 *   without groups.
 * @throws {InvalidInputError} (rejects) if an entry has no such tensors, one is disposed, or mean and variance differ in shape.
 */
export async function readMoments(batches: readonly CountedMoments[]): Promise<Moments[][]>;
export async function readMoments(batches: readonly ChannelMoments[]): Promise<MeanAndVariance[][]>;
export async function readMoments(batches: readonly MaybeCounted[]): Promise<MeanAndVariance[][]> {
  if (!Array.isArray(batches)) {
    throw new InvalidInputError(`readMoments: expected a list of moments, got ${shown(batches)}.`);
  }
  if (batches.length === 0) return [];
  batches.forEach((batch, i) => {
    assertGiven(batch, `at index ${i} a `, 'readMoments');
    assertTensor(batch.mean, `the mean at index ${i}`, 'readMoments');
    assertTensor(batch.variance, `the variance at index ${i}`, 'readMoments');
    const { mean, variance } = batch;
    if (tensorsOf(batch).some((tensor) => tensor.isDisposed)) {
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
  const packed = tf.tidy(() => tf.concat1d(batches.flatMap((batch) => tensorsOf(batch).map(flat))));
  try {
    // Of nothing, the cpu backend gives a plain array.
    const values = packed.size === 0 ? new Float32Array(0) : await packed.data<'float32'>();
    return split(values, batches.map(describe));
  } finally {
    packed.dispose();
  }
}

/** In the order in which they are packed. */
function tensorsOf({ mean, variance, count }: MaybeCounted): tf.Tensor[] {
  return [mean, variance, count].filter((one): one is tf.Tensor => one instanceof tf.Tensor);
}

/** Every op counts where a model has many sites. */
const flat = (tensor: tf.Tensor) =>
  (tensor.rank === 1 ? tensor : tf.reshape(tensor, [tensor.size])) as tf.Tensor1D;

interface Entry {
  readonly groups: number;
  readonly channels: number;
  readonly count: number | tf.Tensor | undefined;
}

function describe({ mean, count }: MaybeCounted): Entry {
  const channels = mean.shape[mean.rank - 1]!;
  return { groups: mean.rank === 2 ? mean.shape[0]! : 1, channels, count };
}

function split(values: Float32Array, entries: readonly Entry[]): MeanAndVariance[][] {
  let offset = 0;
  const take = (length: number) => {
    const start = offset;
    offset += length;
    return Float64Array.from(values.subarray(start, offset));
  };
  return entries.map(({ groups, channels, count: known }) => {
    const mean = take(groups * channels);
    const variance = take(groups * channels);
    const count = known instanceof tf.Tensor ? take(1)[0]! : known;
    return Array.from({ length: groups }, (_, g) => ({
      ...(count !== undefined && { count }),
      mean: mean.slice(g * channels, (g + 1) * channels),
      variance: variance.slice(g * channels, (g + 1) * channels),
    }));
  });
}
