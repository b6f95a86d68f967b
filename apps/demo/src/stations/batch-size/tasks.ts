// Trains with normalization batches of a chosen size, and measures the three errors of the paper's section 4 as it goes.

import { type LabeledImages, ranges, subset } from '@rebatch/images';
import { freezeBatchNorm, unfreezeBatchNorm } from '@rebatch/layers';
import { iidBatches } from '@rebatch/leakage';
import { withStatistics } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { loadDigits } from '../../data/load-digits.ts';
import type { Run, Task } from '../../lab/task.ts';
import { denseNetwork } from '../../network/dense-network.ts';
import { errorInBatches } from '../../network/errors.ts';
import { usePopulation } from '../../network/population.ts';
import { cosineDecay, trainOn } from '../../network/train-on.ts';
import { measuredSteps } from '../../training/measured-steps.ts';
import type { ThreeErrors } from '../../training/three-errors.ts';
import { BATCH, type TrainEvent, type TrainLive, type TrainOptions, type TrainResult } from './settings.ts';

/** Of the first step. */
const LEARNING_RATE = 0.2;
/** At most so much once frozen: statistics that stand still no longer undo what a step does to the scale of activations. */
const FROZEN_LEARNING_RATE = 0.05;

export const train: Task<TrainOptions, TrainLive, TrainEvent, TrainResult> = async (options, run) => {
  const { seed, normalizationBatch, steps, measureEvery, evaluation } = options;
  const [digits, test] = await Promise.all([loadDigits('train'), loadDigits('test')]);
  const [seen, unseen] = [digits, test].map((of) => subset(of, [...Array(evaluation).keys()]));
  const sets = { digits, seen: seen as LabeledImages, unseen: unseen as LabeledImages };
  const model = denseNetwork({
    seed,
    normalization: { momentum: 0, normalizationBatchSize: normalizationBatch },
  });
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const batches = iidBatches({ samples: digits.size, batchSize: BATCH, seed });
  let frozen = false;
  let errors: ThreeErrors | undefined;
  try {
    await measuredSteps(run, {
      steps,
      measureEvery,
      async train(step) {
        const changed = run.live.frozen !== frozen;
        if (changed) {
          frozen = run.live.frozen;
          await (frozen ? freeze(model, digits, run.signal) : unfreezeBatchNorm(model));
        }
        const rate = cosineDecay(LEARNING_RATE, step - 1, steps);
        optimizer.setLearningRate(frozen ? Math.min(rate, FROZEN_LEARNING_RATE) : rate);
        return { loss: await trainOn(model, optimizer, digits, batches.next().value), measured: changed };
      },
      async measure(step, loss) {
        errors = await measure(model, sets, frozen, run);
        run.emit({ step, loss, frozen, errors });
      },
    });
    return errors as ThreeErrors;
  } finally {
    optimizer.dispose();
    model.dispose();
  }
};

export const tasks = { train };

/** FrozenBN with PreciseBN's statistics of this moment; gamma and beta go on being trained. */
async function freeze(model: tfl.LayersModel, digits: LabeledImages, signal: AbortSignal): Promise<void> {
  await usePopulation(model, digits, signal);
  freezeBatchNorm(model, { affine: 'trainable' });
}

interface Sets {
  readonly digits: LabeledImages;
  readonly seen: LabeledImages;
  readonly unseen: LabeledImages;
}

async function measure(
  model: tfl.LayersModel,
  { digits, seen, unseen }: Sets,
  frozen: boolean,
  run: Run<TrainLive, TrainEvent>,
): Promise<ThreeErrors> {
  const error = (of: LabeledImages, statistics: 'batch' | 'population') =>
    withStatistics(model, statistics, () =>
      errorInBatches(model, of, ranges(of.size, BATCH), { breathe: () => run.breathe() }),
    );
  // What a frozen layer holds is what it trains on; any other layer holds those of its last batch.
  if (!frozen) await usePopulation(model, digits, run.signal);
  return {
    training: await error(seen, frozen ? 'population' : 'batch'),
    miniBatch: await error(unseen, 'batch'),
    population: await error(unseen, 'population'),
  };
}
