// Population statistics of a trained detector.

import {
  captureStatistics,
  DomainBatchNormalization,
  diffStatistics,
  type ModelStatistics,
} from '@rebatch/domains';
import { ranges } from '@rebatch/images';
import { type RecalibrationMode, recalibrate } from '@rebatch/recalibrate';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { mean } from '../../../rows/summary.ts';
import { type Scene, sceneTensor } from './scenes.ts';

/**
 * PreciseBN on scenes. In mode 'batch' the statistics are those of the network as it trained, whatever it is run on
 * after: while they are measured, the head normalizes by what its `statistics.train` says, by all levels together or by
 * each on its own. A shared population is then the moments of the values of all levels, so that the finest, which has
 * most of them, counts most; a population per level is each level's own.
 */
export async function recalibrateOnScenes(
  model: tfl.LayersModel,
  scenes: readonly Scene[],
  batch: number,
  mode: RecalibrationMode,
  signal: AbortSignal,
): Promise<void> {
  const inputs: Iterable<tf.Tensor> = {
    *[Symbol.iterator]() {
      for (const indices of ranges(scenes.length, batch)) yield sceneTensor(indices.map((i) => scenes[i]!));
    },
  };
  await recalibrate(model, inputs, { mode, samples: 'all', signal });
}

/** How far the statistics of a level are from those of all levels together: means over the BN layers of the head. */
export interface LevelShift {
  /** Of the means, in standard deviations of all levels together; root mean square over the channels. */
  readonly mean: number;
  /** Of the natural logarithms of the variances, likewise: 0.7 is about a factor of 2. */
  readonly variance: number;
}

/** One per level, from a detector with a shared population and one of the same weights with a population per level. */
export async function levelShifts(shared: tfl.LayersModel, perLevel: tfl.LayersModel): Promise<LevelShift[]> {
  const [[all], levels] = await Promise.all([headStatistics(shared), headStatistics(perLevel)]);
  return levels.map((level) => {
    const shifts = diffStatistics(all!, level).layers.map(({ shift }) => shift);
    return {
      mean: mean(shifts.map((shift) => shift.mean.rms)),
      variance: mean(shifts.map((shift) => shift.variance.rms)),
    };
  });
}

/** For each population of the head's BN layers, the statistics of these layers. */
async function headStatistics(model: tfl.LayersModel): Promise<ModelStatistics[]> {
  const all = new Map((await captureStatistics(model)).map((statistics) => [statistics.name, statistics]));
  const head = model.layers.filter((layer) => layer instanceof DomainBatchNormalization);
  return head[0]!.layers.map((_, population) =>
    head.map(({ layers }, i) => ({ ...all.get(layers[population]!.name)!, name: `block ${i + 1}` })),
  );
}
