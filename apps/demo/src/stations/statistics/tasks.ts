// Trains, and measures as it goes: the validation error if training stopped here, by the statistics one would keep.

import { imageTensor, type LabeledImages, ranges, subset } from '@rebatch/digits';
import { ema } from '@rebatch/estimators';
import { batchNormLayers, withStatistics } from '@rebatch/layers';
import { iidBatches } from '@rebatch/leakage';
import {
  applyStatistics,
  captureStatistics,
  estimateStatistics,
  type LayerStatistics,
  type ModelStatistics,
  type RecalibrationMode,
} from '@rebatch/recalibrate';
import { type Moments, normalizedShift } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { loadDigits } from '../../data/load-digits.ts';
import type { Run, Task } from '../../lab/task.ts';
import { digitNetwork, errorRate, trainOn } from '../../network/digit-network.ts';
import {
  DECAYS,
  type Decay,
  type Errors,
  type TrainEvent,
  type TrainLive,
  type TrainOptions,
} from './settings.ts';

const LEARNING_RATE = 0.5;

export const train: Task<TrainOptions, TrainLive, TrainEvent, void> = async (options, run) => {
  const { seed, batchSize, steps, measureEvery, validation } = options;
  const [digits, test] = await Promise.all([loadDigits('train'), loadDigits('test')]);
  const held = subset(test, [...Array(validation).keys()]);
  // With momentum 0 the layers hold the moments of the last batch, of which averages are made here, one per decay.
  const model = digitNetwork({ seed, normalization: { momentum: 0 } });
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const averages = averagesOf(model);
  const batches = iidBatches({ samples: digits.size, batchSize, seed });
  try {
    for (let step = 1; step <= steps; step++) {
      const loss = await trainOn(model, optimizer, digits, batches.next().value as number[]);
      await averages.update();
      const point = step % measureEvery === 0 || step === 1;
      if (point) run.emit(await measure(model, averages, digits, held, step, loss, run));
      run.progress(step, steps, `step ${step} of ${steps}, loss ${loss.toFixed(2)}`);
      // "Step" goes from one measurement to the next.
      if (point) await run.checkpoint();
      else await run.breathe();
    }
  } finally {
    optimizer.dispose();
    model.dispose();
  }
};

export const tasks = { train };

/** What layers would hold after training with each decay. */
interface Averages {
  update(): Promise<void>;
  statistics(decay: Decay): ModelStatistics;
}

function averagesOf(model: tfl.LayersModel): Averages {
  const layers = batchNormLayers(model);
  const kept = new Map(DECAYS.map((decay) => [decay, layers.map(() => ema({ decay }))]));
  return {
    async update() {
      const latest = (await captureStatistics(model)).map(momentsOf);
      for (const estimators of kept.values()) {
        estimators.forEach((estimator, at) => {
          estimator.update(latest[at] as Moments);
        });
      }
    },
    statistics: (decay) =>
      layers.map(({ name }, at) => ({
        name,
        ...(kept.get(decay) as ReturnType<typeof ema>[])[at]!.estimate(),
      })),
  };
}

async function measure(
  model: tfl.LayersModel,
  averages: Averages,
  digits: LabeledImages,
  held: LabeledImages,
  step: number,
  loss: number,
  run: Run<TrainLive, TrainEvent>,
): Promise<TrainEvent> {
  const { decay, samples, layerwise } = run.live;
  const before = await captureStatistics(model);
  const breathe = () => run.breathe();
  const error = () => errorRate(model, held, { breathe });
  const under = async (statistics: ModelStatistics) => {
    await applyStatistics(model, statistics);
    return error();
  };
  const precise = (mode: RecalibrationMode) =>
    estimateStatistics(model, batchesOf(digits, samples), { samples, mode, signal: run.signal });
  try {
    const smoothed = averages.statistics(decay);
    const exact = await precise('batch');
    const errors: Errors = {
      ema: await under(smoothed),
      precise: await under(exact.statistics),
      layerwise: layerwise ? await under((await precise('layerwise')).statistics) : undefined,
      miniBatch: await withStatistics(model, 'batch', error),
    };
    const shifts = exact.statistics.map((layer, at) => ({
      name: `BN ${at + 1}`,
      means: normalizedShift(momentsOf(layer), momentsOf(smoothed[at] as LayerStatistics)).mean.map(Math.abs),
    }));
    return { step, loss, errors, shifts, decay, samples };
  } finally {
    await applyStatistics(model, before);
  }
}

/** An average over batches, and a shift, look at the values alone: each batch weighs the same. */
function momentsOf({ mean, variance }: LayerStatistics): Moments {
  return { count: 1, mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
}

/** The first digits in batches; they can be gone through several times, as layerwise does. */
function batchesOf(digits: LabeledImages, samples: number): Iterable<tf.Tensor> {
  return {
    *[Symbol.iterator]() {
      for (const indices of ranges(samples, Math.min(samples, 250))) yield imageTensor(digits, indices);
    },
  };
}
