// Ghost batch normalization by a number per sample, in groups of 32: it is to cost what the whole batch as one costs,
// however many groups there are.

import { batchNormalize, segmentBatchNormalize } from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import { randomTensor } from '../../../backends.ts';
import type { ScalingRow } from '../scaling-row.ts';

const CHANNELS = 8;
const GROUP = 32;

type Order = 'consecutive' | 'random';

const REASONS: Readonly<Record<Order, string>> = {
  consecutive: 'To end the sums of a group, in float64, takes about as long as its 32 rows of 8 values.',
  random:
    'A row is half a cache line, and the rows or the sums of its group lie anywhere; to end the sums takes as long as above.',
};

const row = (order: Order, on: Pick<ScalingRow, 'backend' | 'kernels' | 'sizes'>): ScalingRow => ({
  case: `ghost by ids, ${order}${on.kernels === 'ours' ? ', our kernels' : ''}`,
  ...on,
  unit: 'samples',
  peer: 'batchNormalize, 1 group',
  target: 1 / 2,
  note: REASONS[order],
  sides: (samples) => {
    const [x, dy] = [randomTensor([samples, CHANNELS], 1, 0.5, 2), randomTensor([samples, CHANNELS], 2)];
    const gamma = tf.ones([CHANNELS]);
    const ids = idsOf(samples, order);
    const step = (op: (x: tf.Tensor, gamma: tf.Tensor) => tf.Tensor) => {
      const gradients = tf.grads((...given: tf.Tensor[]) => op(given[0]!, given[1]!));
      return { run: () => tf.tidy(() => void gradients([x, gamma], dy)) };
    };
    return {
      ours: step((x, gamma) => segmentBatchNormalize(x, ids, samples / GROUP, { gamma }).y),
      peer: step((x, gamma) => batchNormalize(x, { gamma }).y),
    };
  },
});

const LARGE = [4096, 16384, 65536];

export const ghostByIds: readonly ScalingRow[] = [
  row('consecutive', { backend: 'wasm', sizes: LARGE }),
  row('random', { backend: 'wasm', sizes: LARGE }),
  row('consecutive', { backend: 'cpu', kernels: 'ours', sizes: LARGE }),
  row('random', { backend: 'cpu', kernels: 'ours', sizes: LARGE }),
  row('random', { backend: 'cpu', sizes: [1024, 4096, 16384] }),
];

/** The group of each sample: all of one size. */
function idsOf(samples: number, order: Order): tf.Tensor1D {
  const ids = Int32Array.from({ length: samples }, (_, i) => Math.floor(i / GROUP));
  if (order === 'random') tf.util.shuffle(ids);
  return tf.tensor1d(ids, 'int32');
}
