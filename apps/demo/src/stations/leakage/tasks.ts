// Trains on batches of fragments of digits, whose devices hold one class each, measures as it goes, and audits the network.

import { imageTensor, type LabeledImages, labelTensor, ranges, subset } from '@rebatch/images';
import { auditLeakage, groupedBatches } from '@rebatch/leakage';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { loadDigits } from '../../data/load-digits.ts';
import type { Run, Task } from '../../lab/task.ts';
import { errorInBatches } from '../../network/errors.ts';
import { usePopulation } from '../../network/population.ts';
import { cosineDecay, trainOn } from '../../network/train-on.ts';
import { measuredSteps } from '../../training/measured-steps.ts';
import type { ThreeErrors } from '../../training/three-errors.ts';
import { trainInStep } from './in-step.ts';
import { throughKeyholes } from './keyholes.ts';
import { schemeNetwork, withScheme } from './network.ts';
import {
  type AuditEvent,
  BATCH,
  type Batch,
  PER_DEVICE,
  type Scheme,
  type TrainEvent,
  type TrainLive,
  type TrainOptions,
} from './settings.ts';

/** Of the first step. */
const LEARNING_RATE = 0.3;
/** Which part of each digit is seen: the same at every visit. */
const [SEEN, UNSEEN] = [5, 6];

const loadFragments = async () => throughKeyholes(await loadDigits('train'), SEEN);

export const train: Task<TrainOptions, TrainLive, TrainEvent, void> = async (options, run) => {
  const { seed, steps, measureEvery } = options;
  const [digits, test] = [await loadFragments(), throughKeyholes(await loadDigits('test'), UNSEEN)];
  let { scheme, audits } = run.live;
  let model = schemeNetwork(scheme, seed);
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const batches = batchesOf(digits, seed);
  let losses: number[] = [];
  try {
    await measuredSteps(run, {
      steps,
      measureEvery,
      async train(step) {
        if (run.live.scheme !== scheme) {
          scheme = run.live.scheme;
          model = withScheme(model, scheme, seed);
        }
        optimizer.setLearningRate(cosineDecay(LEARNING_RATE, step - 1, steps));
        const batch = batches.next().value;
        const loss =
          scheme === 'sync' && tf.getBackend() === 'wasm'
            ? trainInStep(model, optimizer, digits, devicesOf(batch))
            : // On a GPU, where moments cannot be read midway, all devices are one: what they compute is the same.
              await trainOn(model, optimizer, digits, batch);
        losses.push(loss);
        return { loss };
      },
      async measure(step) {
        const loss = losses.reduce((sum, one) => sum + one, 0) / losses.length;
        losses = [];
        const errors = await measure(model, digits, test, options.evaluation, run);
        run.emit({ kind: 'point', step, loss, scheme, errors });
      },
      async after(step) {
        if (run.live.audits === audits && step < steps) return;
        audits = run.live.audits;
        await usePopulation(model, digits, run.signal);
        run.emit(await auditNow(model, test, { ...options, step, scheme }, run));
      },
    });
  } finally {
    optimizer.dispose();
    model.dispose();
  }
};

/** The first batch of a training, to look at. */
export const look: Task<{ readonly seed: number }, undefined, never, Batch> = async ({ seed }) => {
  const digits = await loadFragments();
  const { images, labels } = subset(digits, batchesOf(digits, seed).next().value);
  return { pixels: images, labels };
};

export const tasks = { train, look };

/** Each run of {@link PER_DEVICE} digits is of one class. */
function batchesOf(digits: LabeledImages, seed: number) {
  return groupedBatches({ by: digits.labels, batchSize: BATCH, groupSize: PER_DEVICE, seed });
}

const devicesOf = (batch: readonly number[]) =>
  [...ranges(batch.length, PER_DEVICE)].map((positions) => positions.map((at) => batch[at] as number));

async function measure(
  model: tfl.LayersModel,
  digits: LabeledImages,
  test: LabeledImages,
  evaluation: number,
  run: Run<TrainLive, TrainEvent>,
): Promise<ThreeErrors> {
  const breathe = () => run.breathe();
  // The same batches each time, and none that training takes in this order.
  const grouped = (of: LabeledImages) => firstOf(batchesOf(of, 1_000), evaluation);
  const training = await errorInBatches(model, digits, grouped(digits), { training: true, breathe });
  const miniBatch = await errorInBatches(model, test, grouped(test), { training: true, breathe });
  // Last, because batches in training mode move the moving statistics.
  await usePopulation(model, digits, run.signal);
  return {
    training,
    miniBatch,
    population: await errorInBatches(model, test, grouped(test), { breathe }),
  };
}

function firstOf(batches: Iterator<number[]>, count: number): number[][] {
  return Array.from({ length: count }, () => batches.next().value as number[]);
}

async function auditNow(
  model: tfl.LayersModel,
  test: LabeledImages,
  { audited, seed, step, scheme }: TrainOptions & { readonly step: number; readonly scheme: Scheme },
  run: Run<TrainLive, TrainEvent>,
): Promise<AuditEvent> {
  const samples = subset(test, [...Array(audited).keys()]);
  const all = [...Array(samples.size).keys()];
  const [xs, ys] = [imageTensor(samples, all), labelTensor(samples, all)];
  try {
    const report = await auditLeakage(
      model,
      { xs, ys },
      {
        groupOf: samples.labels,
        groupSize: PER_DEVICE,
        samples: audited,
        seed,
        loss: (labels, logits) =>
          tf.losses.softmaxCrossEntropy(labels, logits, undefined, undefined, tf.Reduction.NONE),
        signal: run.signal,
        onProgress: ({ done, total }) => run.progress(done, total, `audit, grouping ${done} of ${total}`),
      },
    );
    return { kind: 'audit', step, scheme, report };
  } finally {
    tf.dispose([xs, ys]);
  }
}
