import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import { type PreciseMoments, tensorsOfPrecise } from './precise-moments.ts';
import { readsWithoutStalling } from './reads-without-stalling.ts';

/**
 * Reads precise moments from the device, in float64: of each entry those of its groups. One packed asynchronous transfer,
 * or, where tensors are in the memory of this process, no transfer at all.
 *
 * @param all may be disposed as soon as this function has returned its promise; it does not dispose them itself.
 */
export async function readPreciseMoments(all: readonly PreciseMoments[]): Promise<Moments[][]> {
  if (all.length === 0) return [];
  if (readsWithoutStalling()) return readEach(all);
  const layout = all.map(({ packed, count }) => ({ shape: packed.shape, count }));
  const joined = tf.tidy(() =>
    tf.concat1d(
      all.flatMap(tensorsOfPrecise).map((tensor) => tf.reshape(tensor, [tensor.size]) as tf.Tensor1D),
    ),
  );
  try {
    const values = await joined.data<'float32'>();
    let offset = 0;
    return layout.map(({ shape: [rows, groups, channels], count }) => {
      const own = values.subarray(offset);
      const size = rows * groups * channels;
      const onDevice = count instanceof tf.Tensor;
      offset += onDevice ? size + groups : size;
      return split(own, groups, channels, onDevice ? own.subarray(size) : count);
    });
  } finally {
    joined.dispose();
  }
}

/** The same of one entry, at once. Stops this thread where a device has to be waited for. */
export function readAtOnce(moments: PreciseMoments): Moments[] {
  return readEach([moments])[0]!;
}

function readEach(all: readonly PreciseMoments[]): Moments[][] {
  // Small arrays of their own would cost more than what is in them.
  let size = 0;
  for (const { packed } of all) size += sizeOf(packed);
  const room = new Float64Array(size);
  let from = 0;
  return all.map(({ packed, count }) => {
    const [, groups, channels] = packed.shape;
    const known = count instanceof tf.Tensor ? count.dataSync<'float32'>() : count;
    const own = room.subarray(from, from + sizeOf(packed));
    from += own.length;
    return split(packed.dataSync<'float32'>(), groups, channels, known, own);
  });
}

/** Of the means and variances in float64. */
const sizeOf = ({ shape: [, groups, channels] }: tf.Tensor3D) => 2 * groups * channels;

/** @param all where the means and variances are to lie. */
function split(
  values: Float32Array,
  groups: number,
  channels: number,
  count: number | ArrayLike<number>,
  all = new Float64Array(2 * groups * channels),
): Moments[] {
  const size = groups * channels;
  for (let i = 0; i < size; i++) {
    all[i] = values[i]! + values[2 * size + i]!;
    all[size + i] = values[size + i]!;
  }
  return Array.from({ length: groups }, (_, group) => {
    const [start, end] = [group * channels, (group + 1) * channels];
    return {
      count: typeof count === 'number' ? count : count[group]!,
      mean: all.subarray(start, end),
      variance: all.subarray(size + start, size + end),
    };
  });
}
