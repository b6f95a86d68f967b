// What a smaller normalization batch costs: the same tensor, in many groups or in one.

import { batchNormalize } from '@rebatch/core';
import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { layerSide } from '../layer-side.ts';
import { measure, type Side } from '../measure.ts';

const SHAPE = [64, 28, 28, 64];
/** At most 1.15 times the time of the ungrouped one. */
const TARGET = 1 / 1.15;

export const bnGroups: Bench = {
  name: 'bn-groups',
  summary: 'forward + backward in normalization batches, against the whole batch as one',
  cases: () => [
    groupsCase(
      'layer, 8 of 64',
      (x, dy) => [batchNormSide(8, x, dy), batchNormSide(undefined, x, dy)],
      TARGET,
    ),
    groupsCase('op, 8 of 64', (x, dy) => [opSide(8, x, dy), opSide(1, x, dy)], TARGET),
    groupsCase('layer, 2 of 64', (x, dy) => [batchNormSide(2, x, dy), batchNormSide(undefined, x, dy)]),
    groupsCase('layer, 24 of 64, 16 left', (x, dy) => [
      batchNormSide(24, x, dy),
      batchNormSide(undefined, x, dy),
    ]),
  ],
};

function groupsCase(
  name: string,
  sides: (x: tf.Tensor, dy: tf.Tensor) => readonly [ours: Side, peer: Side],
  target?: number,
): BenchCase {
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape(SHAPE),
    peer: 'one normalization batch',
    note: 'The same work, with one more set of moments per group: the peer is the floor.',
    ...(target === undefined ? {} : { target }),
    measure: async () => {
      await useBackend('wasm');
      const [x, dy] = [randomTensor(SHAPE, 1, 0.5, 2), randomTensor(SHAPE, 2)];
      try {
        return await measure(...sides(x, dy));
      } finally {
        tf.dispose([x, dy]);
      }
    },
  };
}

function batchNormSide(normalizationBatchSize: number | undefined, x: tf.Tensor, dy: tf.Tensor): Side {
  return layerSide(batchNormalization({ normalizationBatchSize }), x, dy);
}

function opSide(groups: number, x: tf.Tensor, dy: tf.Tensor): Side {
  const gamma = tf.ones([x.shape.at(-1)!]);
  const gradients = tf.grads((...args: tf.Tensor[]) => {
    const [input, scale] = args as [tf.Tensor, tf.Tensor];
    return batchNormalize(input, { gamma: scale, groups }).y;
  });
  return { run: () => tf.tidy(() => void gradients([x, gamma], dy)) };
}
