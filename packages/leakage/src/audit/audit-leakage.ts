import { type BatchNormLayer, batchNormLayers, withStatistics } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { AuditError } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import type { Keys } from '../samplers/sampler.ts';
import { lossOf, type SampleLoss, sampleLosses } from './losses.ts';
import { ownPartition, type Partition, strangers } from './partitions.ts';
import { adviseOn, type LeakageReport } from './report.ts';
import { collect, type LabeledBatch, type LabeledData } from './samples.ts';

/** Options of `auditLeakage`. */
export interface AuditOptions {
  /**
   * What the samples of a normalization batch had in common in training: the class of each sample, its image, its
   * source. One per sample in the order of the data, or a function of the sample's number.
   */
  readonly groupOf: Keys | ((sample: number) => string | number);
  /** Samples per normalization batch, best that of training. Default: the layers' `normalizationBatchSize`, else 16. */
  readonly groupSize?: number;
  /** The loss of each sample. Default: that of a compiled model. */
  readonly loss?: SampleLoss;
  /** How many samples to take at most. Default 1024. */
  readonly samples?: number;
  /** How often samples are regrouped with strangers: no p-value is below 1 / (1 + permutations). Default 99. */
  readonly permutations?: number;
  /** Below or at which p-value the verdict is a leak: the rate of false alarms. Default 0.01. */
  readonly level?: number;
  /** Of the groups with strangers. Default 0. */
  readonly seed?: number;
  /** Ends the call with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Called after each regrouping. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Samples of one forward, about: whole normalization batches. */
const AT_ONCE = 256;
/** Regroupings per layer for its share. */
const ATTRIBUTION = 8;

/**
 * Finds out whether a model lowers the loss of a sample by looking at the others in its normalization batch ("Rethinking
 * 'Batch' in BatchNorm", section 6): the loss when each sample is normalized with its own group, by mini-batch statistics,
 * against the same with strangers, and against population statistics.
 *
 * The test is a permutation test: if groups meant nothing to the model, its loss with the own groups would be as any
 * other grouping's. It is one-sided, since a model that did not learn from such groups has a higher loss in them. Only one
 * that knows no labels at all, such as an untrained one, may have a lower loss there by its mistakes being normalized
 * away; so what it says with the own groups must also fit the labels better than labels dealt by chance. What it cannot
 * tell apart: a group whose own statistics help an honest model, such as a domain; there, name as `groupOf` what
 * must not help. The model runs as at inference and is not changed.
 *
 * @param model with one input and one output.
 * @throws (rejects) {AuditError} for data, groups, a loss or options that leave nothing to compare; the signal's reason.
 */
export async function auditLeakage(
  model: tfl.LayersModel,
  data: LabeledData,
  options: AuditOptions,
): Promise<LeakageReport> {
  const layers = batchNormLayers(model).filter(({ movingMean }) => movingMean !== undefined);
  if (layers.length === 0) {
    throw new AuditError(
      `Model '${model.name}' has no batch normalization layer, through which it could leak.`,
    );
  }
  const { permutations = 99, level = 0.01, samples: most = 1024, seed = 0, signal, onProgress } = options;
  const groupSize = options.groupSize ?? commonSize(layers) ?? 16;
  checkOptions({ groupSize, permutations, samples: most }, level);
  const loss = lossOf(model, options.loss);
  const samples = await collect(data, most, signal);
  try {
    const taken = samples.xs.shape[0]!;
    const random = seededRandom(seed);
    const keys = keysOf(options.groupOf, taken);
    const own = ownPartition(keys, groupSize, random);
    const measurement = { model, loss, samples, signal, groupSize };
    let done = 0;
    const measure = async (partition: Partition, grouped: Grouped = 'all') => {
      const mean = await meanLoss(measurement, partition, grouped);
      onProgress?.({ done: Math.min(++done, 2 + permutations), total: 2 + permutations });
      return mean;
    };
    const ownLoss = await measure(own);
    const population = await measure(own, 'none');
    const others: number[] = [];
    for (let i = 0; i < permutations; i++) others.push(await measure(strangers(own, random)));
    const dealt = await lossesOfDealtLabels(measurement, own, { times: permutations, random });
    const chanceOf = (losses: readonly number[]) =>
      (1 + losses.filter((one) => one <= ownLoss).length) / (1 + permutations);
    const pValue = Math.max(chanceOf(others), chanceOf(dealt));
    const mean = average(others);
    const leaks = pValue <= level;

    const effects: number[] = [];
    for (const layer of leaks ? layers : []) {
      const alone = await meanLoss(measurement, own, layer);
      const apart: number[] = [];
      for (let i = 0; i < ATTRIBUTION; i++)
        apart.push(await meanLoss(measurement, strangers(own, random), layer));
      effects.push(average(apart) - alone);
    }
    const positive = effects.reduce((sum, effect) => sum + Math.max(0, effect), 0);
    const report = {
      samples: own.length,
      leftOut: taken - own.length,
      groups: new Set(own.map((sample) => keys[sample])).size,
      groupSize,
      loss: { own: ownLoss, strangers: { mean, deviation: deviation(others) }, population },
      effect: mean - ownLoss,
      pValue,
      permutations,
      level,
      leaks,
      layers: effects.map((effect, i) => ({
        name: layers[i]!.name,
        effect,
        share: positive > 0 ? Math.max(0, effect) / positive : 0,
      })),
    };
    return { ...report, advice: adviseOn(report) };
  } finally {
    tf.dispose([samples.xs, samples.ys]);
  }
}

/** What normalizes by the groups of a partition: all layers, none (all by population), or one alone. */
type Grouped = 'all' | 'none' | BatchNormLayer;

interface Measurement {
  readonly model: tfl.LayersModel;
  readonly loss: SampleLoss;
  readonly samples: LabeledBatch;
  readonly signal: AbortSignal | undefined;
  readonly groupSize: number;
}

const stepOf = (groupSize: number) => Math.max(1, Math.floor(AT_ONCE / groupSize)) * groupSize;

async function meanLoss(measurement: Measurement, partition: Partition, grouped: Grouped): Promise<number> {
  const { model, loss, samples, signal, groupSize } = measurement;
  const step = stepOf(groupSize);
  let sum = 0;
  for (let start = 0; start < partition.length; start += step) {
    signal?.throwIfAborted();
    const rows = tf.tensor1d(partition.slice(start, start + step), 'int32');
    const [x, y] = [tf.gather(samples.xs, rows), tf.gather(samples.ys, rows)];
    try {
      const losses = await sampleLosses(loss, y, () => outputsFor(model, x, groupSize, grouped));
      for (const value of losses) sum += value;
    } finally {
      tf.dispose([rows, x, y]);
    }
    // On cpu and wasm nothing ever waits, so that a signal could not arrive.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const mean = sum / partition.length;
  if (Number.isFinite(mean)) return mean;
  throw new AuditError(
    `auditLeakage: expected finite losses, got ${mean}. Look for NaN in the data, in the weights and in the statistics.`,
  );
}

function outputsFor(model: tfl.LayersModel, x: tf.Tensor, groupSize: number, grouped: Grouped): tf.Tensor {
  const forward = () => {
    const outputs = model.apply(x, { training: false }) as tf.Tensor | tf.Tensor[];
    if (!Array.isArray(outputs)) return outputs;
    throw new AuditError(`Model '${model.name}': expected one output, got ${outputs.length}.`);
  };
  const inGroups = (layer: tfl.layers.Layer) =>
    withStatistics(layer, 'batch', forward, { normalizationBatchSize: groupSize });
  if (grouped === 'all') return inGroups(model);
  // Scopes nest, and the innermost holds.
  return withStatistics(model, 'population', () => (grouped === 'none' ? forward() : inGroups(grouped)));
}

/** Mean losses of the outputs with the own groups, against labels that are dealt to the samples by chance. */
async function lossesOfDealtLabels(
  { model, loss, samples, signal, groupSize }: Measurement,
  own: Partition,
  { times, random }: { readonly times: number; readonly random: Random },
): Promise<number[]> {
  const step = stepOf(groupSize);
  const outputs = tf.tidy(() => {
    const parts: tf.Tensor[] = [];
    for (let start = 0; start < own.length; start += step) {
      const rows = tf.tensor1d(own.slice(start, start + step), 'int32');
      parts.push(outputsFor(model, tf.gather(samples.xs, rows), groupSize, 'all'));
    }
    return tf.concat(parts);
  });
  try {
    const means: number[] = [];
    for (let i = 0; i < times; i++) {
      signal?.throwIfAborted();
      const rows = tf.tensor1d(random.shuffle(own.slice()), 'int32');
      const labels = tf.gather(samples.ys, rows);
      try {
        means.push(average(await sampleLosses(loss, labels, () => outputs)));
      } finally {
        tf.dispose([rows, labels]);
      }
    }
    return means;
  } finally {
    outputs.dispose();
  }
}

/** The size that all layers are set to, if it is one. */
function commonSize(layers: readonly BatchNormLayer[]): number | undefined {
  const sizes = new Set(
    layers.map((layer) => (layer as { normalizationBatchSize?: number }).normalizationBatchSize),
  );
  return sizes.size === 1 ? [...sizes][0] : undefined;
}

function keysOf(groupOf: AuditOptions['groupOf'], samples: number): Keys {
  if (typeof groupOf === 'function') return Array.from({ length: samples }, (_, sample) => groupOf(sample));
  if (groupOf != null && groupOf.length >= samples)
    return Array.from({ length: samples }, (_, i) => groupOf[i]!);
  throw new AuditError(
    `auditLeakage: expected groupOf to say the group of each of ${samples} samples, got ${groupOf?.length ?? groupOf}.`,
  );
}

function checkOptions(whole: Readonly<Record<string, number>>, level: number): void {
  for (const [name, value] of Object.entries(whole)) {
    const least = name === 'groupSize' ? 2 : 1;
    if (Number.isInteger(value) && value >= least) continue;
    throw new AuditError(
      `auditLeakage: expected ${name} to be a whole number of at least ${least}, got ${JSON.stringify(value)}.`,
    );
  }
  if (level > 0 && level < 1 && level * (1 + whole.permutations!) >= 1) return;
  throw new AuditError(
    `auditLeakage: expected a level between 0 and 1 that ${whole.permutations} permutations can reach, got ${level}. ` +
      'No p-value is below 1 / (1 + permutations).',
  );
}

const average = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values: readonly number[]): number {
  const mean = average(values);
  return Math.sqrt(average(values.map((value) => (value - mean) ** 2)));
}
