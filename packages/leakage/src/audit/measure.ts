// What an audit measures: losses of a model whose sites normalize the groups of a partition.
import { normalize } from '@rebatch/core';
import { consecutiveBatches, normalizeInBatches, valuesPerSample } from '@rebatch/layers/~internal';
import type { Application, NormalizedModel } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import { AuditError } from '../errors.ts';
import type { Random } from '../random.ts';
import { type SampleLoss, sampleLosses } from './losses.ts';
import type { Partition } from './partitions.ts';
import type { LabeledBatch } from './samples.ts';

/** Samples of one forward, about: whole normalization batches. */
const AT_ONCE = 256;
/** Where the groups of a partition normalize: at all sites, at none (all by population), or at one alone. */
export type Grouped = 'all' | 'none' | number;

export interface Measurement {
  readonly model: NormalizedModel;
  readonly loss: SampleLoss;
  readonly samples: LabeledBatch;
  readonly signal: AbortSignal | undefined;
  readonly groupSize: number;
  /** Lets timers, input and abort signals in: on cpu and wasm nothing ever waits by itself. */
  readonly breathe: () => Promise<void>;
}

const stepOf = (groupSize: number) => Math.max(1, Math.floor(AT_ONCE / groupSize)) * groupSize;

/** The mean loss of the samples of a partition, normalized in its groups. */
export async function meanLoss(
  measurement: Measurement,
  partition: Partition,
  grouped: Grouped,
): Promise<number> {
  const { model, loss, samples, signal, groupSize, breathe } = measurement;
  const step = stepOf(groupSize);
  let sum = 0;
  for (let start = 0; start < partition.length; start += step) {
    signal?.throwIfAborted();
    const [x, y] = rowsOf([samples.xs, samples.ys], partition.slice(start, start + step));
    try {
      const losses = await sampleLosses(loss, y!, () => outputsFor(model, x!, groupSize, grouped));
      for (const value of losses) sum += value;
    } finally {
      tf.dispose([x!, y!]);
    }
    await breathe();
  }
  const mean = sum / partition.length;
  if (Number.isFinite(mean)) return mean;
  throw new AuditError(
    `auditLeakage: expected finite losses, got ${mean}. Look for NaN in the data, in the weights and in the statistics.`,
  );
}

function outputsFor(model: NormalizedModel, x: tf.Tensor, groupSize: number, grouped: Grouped): tf.Tensor {
  const stored = model.stored();
  const visit = ({ site, x, whole, mask }: Application) => {
    const options = model.sites[site]!.options();
    const byGroup = grouped === 'all' || grouped === site;
    if (!byGroup) return normalize(x, stored[site]!, options);
    if (whole !== undefined) return normalize(x, whole, options);
    const groups = consecutiveBatches(x.shape[0]!, groupSize, valuesPerSample(x, options.axis));
    return normalizeInBatches(x, groups, { ...options, mask }).y;
  };
  return model.run([x], visit)![0]!;
}

/** Some rows of each tensor. */
function rowsOf(tensors: readonly tf.Tensor[], rows: readonly number[]): tf.Tensor[] {
  return tf.tidy(() => {
    const numbers = tf.tensor1d([...rows], 'int32');
    return tensors.map((tensor) => tf.gather(tensor, numbers));
  });
}

/** Mean losses of the outputs with the own groups, against labels that are dealt to the samples by chance. */
export async function lossesOfDealtLabels(
  measurement: Measurement,
  own: Partition,
  { times, random }: { readonly times: number; readonly random: Random },
): Promise<number[]> {
  const { loss, samples, signal, breathe } = measurement;
  const outputs = await outputsInOwnGroups(measurement, own);
  try {
    const means: number[] = [];
    for (let i = 0; i < times; i++) {
      signal?.throwIfAborted();
      const [labels] = rowsOf([samples.ys], random.shuffle(own.slice()));
      try {
        means.push(average(await sampleLosses(loss, labels!, () => outputs)));
      } finally {
        labels!.dispose();
      }
      await breathe();
    }
    return means;
  } finally {
    outputs.dispose();
  }
}

/** The outputs for all samples of a partition, in its order. */
async function outputsInOwnGroups(
  { model, samples, signal, groupSize, breathe }: Measurement,
  own: Partition,
): Promise<tf.Tensor> {
  const step = stepOf(groupSize);
  const parts: tf.Tensor[] = [];
  try {
    for (let start = 0; start < own.length; start += step) {
      signal?.throwIfAborted();
      const part = tf.tidy(() => {
        const rows = tf.tensor1d(own.slice(start, start + step), 'int32');
        return outputsFor(model, tf.gather(samples.xs, rows), groupSize, 'all');
      });
      parts.push(part);
      await breathe();
    }
    return tf.concat(parts);
  } finally {
    tf.dispose(parts);
  }
}

export const average = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
