// What it costs to choose which samples share statistics: Ghost BN and shuffling, against the whole batch as one.

import { batchNormalization } from '@rebatch/layers';
import { type GhostBatchNormalizationConfig, ghostBatchNormalization, shuffled } from '@rebatch/leakage';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { layerSide } from '../layer-side.ts';
import { measure } from '../measure.ts';

const SHAPE = [64, 28, 28, 64];
const GROUPS = 8;
/** At most 1.15 times the time of plain BN where groups are fixed, 1.5 times where they are drawn in each step. */
const [FIXED, DRAWN] = [1 / 1.15, 1 / 1.5];

export const leakage: Bench = {
  name: 'leakage',
  summary: 'forward + backward of Ghost BN and of shuffling, against one normalization batch in order',
  cases: () => [
    ghostCase('consecutive', FIXED),
    ghostCase('strided', FIXED),
    ghostCase('random', DRAWN),
    againstPlain('shuffled, BN alone', 'plain BN', DRAWN, () => [
      shuffled(batchNormalization(), { groups: GROUPS }),
      batchNormalization(),
    ]),
    againstPlain('shuffled, conv+BN+ReLU', 'the block in order', DRAWN, () => [
      shuffled(block(), { groups: GROUPS }),
      block(),
    ]),
  ],
};

function ghostCase(assign: NonNullable<GhostBatchNormalizationConfig['assign']>, target: number): BenchCase {
  return againstPlain(`ghost, ${GROUPS} ${assign}`, 'plain BN', target, () => [
    ghostBatchNormalization({ groups: GROUPS, assign }),
    batchNormalization(),
  ]);
}

function againstPlain(
  name: string,
  peer: string,
  target: number,
  layers: () => readonly [ours: tfl.layers.Layer, peer: tfl.layers.Layer],
): BenchCase {
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape(SHAPE),
    peer,
    target,
    measure: async () => {
      await useBackend('wasm');
      const [x, dy] = [randomTensor(SHAPE, 1, 0.5, 2), randomTensor(SHAPE, 2)];
      const [ours, plain] = layers();
      try {
        return await measure(layerSide(ours, x, dy), layerSide(plain, x, dy));
      } finally {
        tf.dispose([x, dy]);
      }
    },
  };
}

/** A block that keeps the shape, so that as much is permuted before it as is put back after it. */
function block(): tfl.Sequential {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        filters: SHAPE.at(-1)!,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        inputShape: SHAPE.slice(1),
      }),
      batchNormalization(),
      tfl.layers.reLU(),
    ],
  });
}
