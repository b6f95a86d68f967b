// Trains, and measures on the way what the validation error would be if training stopped there, by kind of statistics.

import { ema } from '@rebatch/estimators';
import { imageTensor, type LabeledImages, subset } from '@rebatch/images';
import { type BatchNormLayer, batchNormLayers } from '@rebatch/layers';
import { iidBatches } from '@rebatch/leakage';
import { withStatistics } from '@rebatch/models';
import {
  applyStatistics,
  captureStatistics,
  estimateStatistics,
  type LayerStatistics,
  type ModelStatistics,
  type RecalibrationMode,
} from '@rebatch/recalibrate';
import { type MeanAndVariance, normalizedShift } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type Histogram, histogramOf } from '../../data/histogram.ts';
import { loadDigits } from '../../data/load-digits.ts';
import type { Run, Task } from '../../lab/task.ts';
import { digitNetwork } from '../../network/digit-network.ts';
import { errorRate } from '../../network/errors.ts';
import { imagesInBatches } from '../../network/images-in-batches.ts';
import { trainOn } from '../../network/train-on.ts';
import { measuredSteps } from '../../training/measured-steps.ts';
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
  const averages = averagesOf(model, batchSize);
  const look = channelsOf(model, held);
  const batches = iidBatches({ samples: digits.size, batchSize, seed });
  try {
    await measuredSteps(run, {
      steps,
      measureEvery,
      async train() {
        const loss = await trainOn(model, optimizer, digits, batches.next().value as number[]);
        await averages.update();
        return { loss };
      },
      async measure(step, loss) {
        run.emit(await measure(model, look, averages, digits, held, step, loss, run));
      },
    });
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

function averagesOf(model: tfl.LayersModel, batchSize: number): Averages {
  const layers = batchNormLayers(model);
  const counts = layers.map(
    ({ outputShape }) => batchSize * tf.util.sizeFromShape((outputShape as number[]).slice(1, -1)),
  );
  const kept = new Map(DECAYS.map((decay) => [decay, layers.map(() => ema({ decay }))]));
  return {
    async update() {
      const latest = await captureStatistics(model);
      for (const estimators of kept.values()) {
        estimators.forEach((estimator, at) => {
          estimator.update({ count: counts[at] as number, ...inFloat64(latest[at] as LayerStatistics) });
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

/** Digits whose activations are looked at: enough for a smooth histogram, few enough to be read back at once. */
const LOOKED_AT = 32;

/** Histograms of one channel of each layer, as the layer normalizes it by some statistics. Leaves the model on these. */
type ChannelsOf = (statistics: ModelStatistics, channels: readonly number[]) => Promise<Histogram[]>;

function channelsOf(model: tfl.LayersModel, digits: LabeledImages): ChannelsOf {
  const layers = batchNormLayers(model);
  // The same layers; gives what goes into each batch normalization.
  const probe = tfl.model({
    inputs: model.inputs,
    outputs: layers.map(({ input }) => input as tfl.SymbolicTensor),
  });
  return async (statistics, channels) => {
    await applyStatistics(model, statistics);
    const values = tf.tidy(() => {
      const images = imageTensor(digits, [...Array(Math.min(LOOKED_AT, digits.size)).keys()]);
      const inputs = probe.apply(images, { training: false }) as tf.Tensor4D[];
      return inputs.map((input, at) => tf.slice(input, [0, 0, 0, channels[at] as number], [-1, -1, -1, 1]));
    });
    try {
      const read = await Promise.all(values.map((value) => value.data<'float32'>()));
      return read.map((channel, at) => {
        const { mean, variance } = statistics[at] as LayerStatistics;
        const c = channels[at] as number;
        const deviation = Math.sqrt((variance[c] as number) + (layers[at] as BatchNormLayer).epsilon);
        return histogramOf(channel, mean[c] as number, deviation);
      });
    } finally {
      tf.dispose(values);
    }
  };
}

async function measure(
  model: tfl.LayersModel,
  look: ChannelsOf,
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
    estimateStatistics(model, imagesInBatches(digits, samples), { samples, mode, signal: run.signal });
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
      means: normalizedShift(inFloat64(layer), inFloat64(smoothed[at] as LayerStatistics)).mean.map(Math.abs),
    }));
    const channels = shifts.map(({ means }) => means.indexOf(Math.max(...means)));
    const [ofEma, ofPrecise] = [await look(smoothed, channels), await look(exact.statistics, channels)];
    const farthest = channels.map((channel, at) => ({
      channel,
      ema: ofEma[at] as Histogram,
      precise: ofPrecise[at] as Histogram,
    }));
    return { step, loss, errors, shifts, farthest, decay, samples };
  } finally {
    await applyStatistics(model, before);
  }
}

function inFloat64({ mean, variance }: LayerStatistics): MeanAndVariance {
  return { mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
}
