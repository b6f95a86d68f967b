// Two models on the same data: how often they say the same, how far their outputs lie apart, and where they part.
import { captureReference } from '@rebatch/domains';
import type { MomentsSummary } from '@rebatch/recalibrate';
import { summarizeShift } from '@rebatch/recalibrate/~internal';
import { momentsFromJSON } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import { toTensors } from './data/tensors.ts';
import { DataError, ModelUseError } from './errors.ts';
import type { LoadedModel, ModelInput } from './model/load-model.ts';
import type { Session } from './session.ts';
import { NO_CLASS, topClasses } from './top-class.ts';

/** How often two models say the same, and how far apart. */
export interface Agreement {
  readonly samples: number;
  /** Answers that were compared: one per sample, or one per position of one. */
  readonly answers: number;
  /** The share with the same top class; an answer with a NaN has none. */
  readonly top1: number;
  /** How many answers of each have a NaN. */
  readonly nan: { readonly a: number; readonly b: number };
  /** Between the values that both give as finite numbers: the largest difference, and its root mean square. Null if none is. */
  readonly difference: { readonly max: number; readonly rms: number } | null;
  /** The share of wrong answers of each, where there are labels. */
  readonly errors: { readonly a: number; readonly b: number } | null;
}

/** What a site sees in both models. */
export interface SiteDrift {
  readonly name: string;
  /**
   * Of what the site sees, from a to b: means in standard deviations of what it sees in a, variances as a difference of
   * logarithms. Null where one of them does not reach it.
   */
  readonly shift: MomentsSummary | null;
}

/**
 * The inputs of `b` by the names that `a` has for them, in the order of `b`: what data that was opened for `a` gives to `b`.
 *
 * @param batchSize samples of each batch that both are given.
 * @param count positions that are read; null where only reading tells.
 * @throws {ModelUseError} if they take different inputs, or `b` cannot take such batches.
 */
export function inputOrder(
  a: LoadedModel,
  b: LoadedModel,
  { batchSize, count }: Pick<Session, 'batchSize' | 'count'>,
): string[] {
  const names = new Set(a.inputs.map(plainName));
  // Names that TensorFlow.js counts up say nothing: then their order does.
  const byName = b.inputs.some((input) => names.has(plainName(input)));
  const order = b.inputs.map((input, i) => {
    const candidates = byName
      ? a.inputs.filter((other) => plainName(other) === plainName(input))
      : a.inputs.slice(i, i + 1);
    return candidates.find((other) => isSameInput(other, b, input))?.name;
  });
  if (a.inputs.length !== b.inputs.length || order.includes(undefined)) {
    throw new ModelUseError(
      `Expected two models that take the same inputs: ${a.path} takes ${describeTaken(a)}, ${b.path} takes ` +
        `${describeTaken(b)}. Name two models of the same data.`,
    );
  }
  const { fixedBatch } = b;
  if (fixedBatch !== undefined && (batchSize !== fixedBatch || (count ?? 0) % fixedBatch !== 0)) {
    throw takesOtherBatches(a, b);
  }
  return order as string[];
}

function takesOtherBatches(a: LoadedModel, b: LoadedModel): ModelUseError {
  return new ModelUseError(
    `${b.path} takes batches of ${b.fixedBatch} alone, and ${a.path} is given others. Name ${b.path} first, so that both are ` +
      'given what it takes.',
  );
}

/** By the shape of a sample, as far as both say it. */
function isSameInput(one: ModelInput, b: LoadedModel, other: ModelInput): boolean {
  // tf.layers takes whole numbers as they are prepared for a graph.
  if (one.dtype !== other.dtype && !(b.layers && one.dtype === 'int32')) return false;
  // A graph may not say what it takes.
  if (one.shape.length === 0 || other.shape.length === 0) return true;
  return (
    one.shape.length === other.shape.length &&
    one.shape.slice(1).every((size, i) => {
      const own = other.shape[i + 1]!;
      return size === null || own === null || size === own;
    })
  );
}

/** Graphs call an input `x:0` that tf.layers calls `x`. */
const plainName = ({ name }: ModelInput) => name.replace(/:0$/, '');

const describeTaken = ({ inputs }: LoadedModel): string =>
  inputs
    .map((input) => {
      const whole = input.dtype === 'int32' ? ' of whole numbers' : '';
      const shape =
        input.shape.length === 0 ? 'of any shape' : `[${input.shape.map((size) => size ?? '?').join(', ')}]`;
      return `'${plainName(input)}' ${shape}${whole}`;
    })
    .join(' and ');

/**
 * @throws {DataError} if their outputs are of different shapes, or nothing could be read; {ModelUseError} for a batch that was
 *   left with fewer samples than `b` takes.
 */
export async function compareOutputs(
  { data, labels, bad }: Session,
  a: LoadedModel,
  b: LoadedModel,
  { batchSize, to, order, signal, onSamples }: CompareOptions,
): Promise<Agreement> {
  const totals = {
    samples: 0,
    answers: 0,
    same: 0,
    nanA: 0,
    nanB: 0,
    max: 0,
    squares: 0,
    values: 0,
    labelled: 0,
    wrongA: 0,
    wrongB: 0,
  };
  const range = { from: 0, to: to ?? Number.MAX_SAFE_INTEGER };
  for await (const batch of data.read({ ...range, batchSize, labels: labels !== false, signal })) {
    for (const one of batch.bad) bad.set(one.position, one);
    if (batch.count === 0) continue;
    if (b.fixedBatch !== undefined && batch.count !== b.fixedBatch) throw takesOtherBatches(a, b);
    const own = a.inputs.map(({ name }) => name);
    const xs = [toTensors(batch, false, own).xs].flat() as tf.Tensor[];
    const made: tf.Tensor[] = [];
    try {
      made.push(await a.predict(xs));
      made.push(await b.predict(order.map((name) => xs[own.indexOf(name)]!)));
      const [first, second] = made as [tf.Tensor, tf.Tensor];
      if (first.shape.join() !== second.shape.join()) {
        throw new DataError(
          `Expected two models with outputs of the same shape, got [${first.shape.join(', ')}] and [${second.shape.join(', ')}].`,
        );
      }
      const size = first.shape.at(-1) ?? 1;
      const [x, y] = await Promise.all([first.data(), second.data()]);
      const [answersA, answersB] = [topClasses(x, size), topClasses(y, size)];
      totals.samples += batch.count;
      totals.answers += answersA.length;
      answersA.forEach((answer, i) => {
        if (answer === NO_CLASS) totals.nanA += 1;
        else if (answer === answersB[i]) totals.same += 1;
        if (answersB[i] === NO_CLASS) totals.nanB += 1;
      });
      for (let i = 0; i < x.length; i++) {
        const difference = Math.abs(x[i]! - y[i]!);
        if (!Number.isFinite(difference)) continue;
        totals.values += 1;
        totals.max = Math.max(totals.max, difference);
        totals.squares += difference ** 2;
      }
      const known = answersA.length === batch.count ? batch.labels : null;
      known?.forEach((label, i) => {
        checkLabel(label, size, data.nameOf(batch.positions[i]!));
        totals.labelled += 1;
        if (answersA[i] !== label) totals.wrongA += 1;
        if (answersB[i] !== label) totals.wrongB += 1;
      });
    } finally {
      tf.dispose(made);
      tf.dispose(xs);
    }
    onSamples(totals.samples);
  }
  if (totals.samples === 0) throw new DataError('Expected at least one sample that can be read, got none.');
  const { samples, answers, same, nanA, nanB, max, squares, values, labelled, wrongA, wrongB } = totals;
  return {
    samples,
    answers,
    top1: same / answers,
    nan: { a: nanA, b: nanB },
    difference: values === 0 ? null : { max, rms: Math.sqrt(squares / values) },
    errors: labelled === 0 ? null : { a: wrongA / labelled, b: wrongB / labelled },
  };
}

export interface CompareOptions {
  readonly batchSize: number;
  /** Positions up to which data is read; undefined for all. */
  readonly to: number | undefined;
  /** See {@link inputOrder}. */
  readonly order: readonly string[];
  readonly signal: AbortSignal;
  readonly onSamples: (samples: number) => void;
}

/** @throws {DataError} for a class that the model does not have. */
function checkLabel(label: number, size: number, sample: string): void {
  const classes = size === 1 ? 2 : size;
  if (label < classes) return;
  throw new DataError(
    `${sample}: expected a class from 0 to ${classes - 1}, as the models have them, got ${label}. Compare without errors: ` +
      '--no-labels.',
  );
}

/** What the sites that both models have see, in the order of the first. Empty if there are none. */
export async function compareSites(
  session: Session,
  a: LoadedModel,
  b: LoadedModel,
  { to, order, signal }: Pick<CompareOptions, 'to' | 'order' | 'signal'>,
): Promise<SiteDrift[]> {
  const models = [sitesOf(a), sitesOf(b)] as const;
  const [first, second] = models;
  if (!first || !second) return [];
  const options = { signal };
  const range = to === undefined ? {} : { to };
  const seenA = await captureReference(first, session.batches(range), options);
  const seenB = await captureReference(second, session.batches({ ...range, order }), options);
  const others = new Map(seenB.sites.map(({ name, moments }) => [name, moments]));
  return first.sites.flatMap(({ name, epsilon, channels }, i): SiteDrift[] => {
    const [x, y] = [seenA.sites[i]!.moments, others.get(name)];
    if (y === undefined) return [];
    if (x === null || y === null) return [{ name, shift: null }];
    const [from, target] = [momentsFromJSON(x), momentsFromJSON(y)];
    if (target.mean.length !== channels) return [];
    // A site that was folded adds nothing to its variance, which may be 0.
    return [{ name, shift: summarizeShift(from, target, { epsilon: epsilon > 0 ? epsilon : 1e-12 }) }];
  });
}

/** None for a model without batch norms: it can be compared all the same. */
function sitesOf(model: LoadedModel) {
  try {
    return model.normalized();
  } catch {
    return undefined;
  }
}
