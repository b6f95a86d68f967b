import { type AnyModel, modelOf, NoBatchNormError, type NormalizedModel } from '@rebatch/models';
import { breather } from '@rebatch/models/~internal';
import {
  abortSignal,
  anything,
  callable,
  checkOptions,
  finite,
  integer,
  type OptionRules,
  shown,
} from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { AuditError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import type { Keys } from '../samplers/sampler.ts';
import { lossOf, type SampleLoss } from './losses.ts';
import { average, type Grouped, lossesOfDealtLabels, meanLoss } from './measure.ts';
import { ownPartition, type Partition, strangers } from './partitions.ts';
import { adviseOn, type LeakageReport } from './report.ts';
import { collect, type LabeledData } from './samples.ts';

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
 * @throws (rejects) {AuditError} for a model, data, groups, a loss or options that leave nothing to compare; {InputShapeError}
 *   and {DisposedTensorError} of `@rebatch/models` for a batch that the model cannot take; the signal's reason.
 */
export async function auditLeakage(
  audited: AnyModel,
  data: LabeledData,
  options: AuditOptions,
): Promise<LeakageReport> {
  const model = subjectOf(audited);
  checkOptions('auditLeakage', options, RULES, AuditError);
  const { permutations = 99, level = 0.01, samples: most = 1024, seed = 0, signal, onProgress } = options;
  const groupSize = options.groupSize ?? commonSize(model) ?? 16;
  checkLevel(level, permutations);
  const loss = lossOf(audited, options.loss);
  const samples = await collect(model, data, most, signal);
  try {
    const taken = samples.xs.shape[0]!;
    const random = seededRandom(seed);
    const keys = keysOf(options.groupOf, taken);
    const own = ownPartition(keys, groupSize, random, most);
    const measurement = { model, loss, samples, signal, groupSize, breathe: breather() };
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
    for (const site of leaks ? model.sites.keys() : []) {
      const alone = await meanLoss(measurement, own, site);
      const apart: number[] = [];
      for (let i = 0; i < ATTRIBUTION; i++)
        apart.push(await meanLoss(measurement, strangers(own, random), site));
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
        name: model.sites[i]!.name,
        effect,
        share: positive > 0 ? Math.max(0, effect) / positive : 0,
      })),
    };
    return { ...report, advice: adviseOn(report) };
  } finally {
    tf.dispose([samples.xs, samples.ys]);
  }
}

/** @throws {AuditError} for a model without batch normalization, or with several inputs or outputs; {NotAModelError}. */
function subjectOf(model: AnyModel): NormalizedModel {
  const subject = normalizedOf(model);
  const { name, inputs, outputs } = subject;
  if (inputs.length === 1 && outputs.length === 1) return subject;
  throw new AuditError(
    `Model '${name}': expected one input and one output, got ${inputs.length} and ${outputs.length}. Audit a model of one ` +
      'input and the output whose loss is in question.',
  );
}

function normalizedOf(model: AnyModel): NormalizedModel {
  try {
    return modelOf('auditLeakage', model);
  } catch (error) {
    if (!(error instanceof NoBatchNormError)) throw error;
    throw new AuditError(`${error.message} There is nothing through which it could leak.`, { cause: error });
  }
}

/** The samples per normalization batch that all sites are set to, if it is one number for batches of any size. */
function commonSize({ sites }: NormalizedModel): number | undefined {
  const sizes = sites.flatMap((site) =>
    [1024, 2048].map((samples) => {
      const { count, of } = site.normalizationBatches(samples, 2);
      return of === undefined ? samples / count : of.filter((batch) => batch === 0).length;
    }),
  );
  return new Set(sizes).size === 1 ? sizes[0] : undefined;
}

function keysOf(groupOf: AuditOptions['groupOf'], samples: number): Keys {
  if (typeof groupOf === 'function') return Array.from({ length: samples }, (_, sample) => groupOf(sample));
  if (groupOf != null && groupOf.length >= samples)
    return Array.from({ length: samples }, (_, i) => groupOf[i]!);
  throw new AuditError(
    `auditLeakage: expected groupOf to say the group of each of ${samples} samples, got ${groupOf?.length ?? shown(groupOf)}.`,
  );
}

const RULES: OptionRules<AuditOptions> = {
  // What is wrong with it can only be told of the samples.
  groupOf: anything,
  groupSize: integer({ least: 2 }),
  loss: callable('a function from labels and outputs to the loss of each sample'),
  samples: integer({ least: 1 }),
  permutations: integer({ least: 1 }),
  level: finite({ above: 0, below: 1 }),
  seed: integer(),
  signal: abortSignal,
  onProgress: callable(),
};

function checkLevel(level: number, permutations: number): void {
  if (level * (1 + permutations) >= 1) return;
  throw new AuditError(
    `auditLeakage: expected a level that ${permutations} permutations can reach, got ${level}. No p-value is below ` +
      '1 / (1 + permutations).',
  );
}

function deviation(values: readonly number[]): number {
  const mean = average(values);
  return Math.sqrt(average(values.map((value) => (value - mean) ** 2)));
}
