// Which outputs are wrong, decided on the host in plain loops: the same on every backend.
import type { Endpoint } from '@rebatch/models';
import { largestInRow, shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { LabelsError } from './errors.ts';

/** Numbers of a row that a message shows. */
const MOST_SHOWN = 12;

/** The classes of one batch: one for each sample, or for each position of each sample. */
export interface Labels {
  readonly samples: number;
  readonly classes: Int32Array;
}

/** Whether labels are integers, or rows with a number for each class. */
type Form = 'integers' | 'rows';

/**
 * The labels of a batch as a tensor that fits the model's output.
 *
 * @param output of `labelledOutput`.
 * @throws {LabelsError} if they do not.
 */
export function checkLabels(
  ys: unknown,
  { name, shape: output }: Endpoint,
  samples: number,
  batch: number,
): tf.Tensor {
  if (ys instanceof tf.Tensor && formOf(ys, output, samples) !== undefined) {
    if (ys.isDisposed) throw new LabelsError(`Batch ${batch}: its ys are already disposed.`);
    if (ys.dtype !== 'string') return ys;
    throw new LabelsError(
      `Batch ${batch}: expected ys as numbers, got a tensor of strings. Number the classes as the model's output does, from 0, or ` +
        'inspect without errors: labels: false.',
    );
  }
  const show = (sizes: readonly (number | null)[]) =>
    `[${[samples, ...sizes.slice(1)].map((size) => size ?? '?').join(', ')}]`;
  throw new LabelsError(
    `Batch ${batch}: expected ys as one tensor for the output '${name}', one-hot of shape ${show(output)} or integer ` +
      `classes of shape ${show(output.slice(0, -1))}, got ${shown(ys)}. Inspect without errors: labels: false.`,
  );
}

function formOf({ shape }: tf.Tensor, output: readonly (number | null)[], samples: number): Form | undefined {
  const fits = (expected: readonly (number | null)[]) =>
    shape.length === expected.length &&
    expected.every((size, i) => shape[i] === (i === 0 ? samples : (size ?? shape[i])));
  const positions = output.slice(0, -1);
  if (fits(positions) || fits([...positions, 1])) return 'integers';
  return fits(output) && output.at(-1)! > 1 ? 'rows' : undefined;
}

/**
 * Reads labels as classes: one-hot (or probabilities: the largest counts) in the shape of the output, or integers in
 * that shape without its last axis. A model with one output unit has the classes 0 and 1.
 *
 * @param ys that `checkLabels` has passed.
 * @throws {LabelsError} (rejects) for a class that the model does not have, and for rows that name no class, or several.
 */
export async function readLabels(
  ys: tf.Tensor,
  { shape: output }: Endpoint,
  samples: number,
  batch: number,
): Promise<Labels> {
  const units = output.at(-1);
  const integers = formOf(ys, output, samples) === 'integers';
  const values = await ys.data();
  const classes = integers ? Int32Array.from(values) : classesOf(values, units!);
  const count = units === 1 ? 2 : units!;
  classes.forEach((label, i) => {
    const whole = !integers || label === values[i];
    if (whole && label >= 0 && label < count) return;
    if (integers) {
      throw new LabelsError(
        `Batch ${batch}, label ${i}: expected a class from 0 to ${count - 1}, got ${values[i]}. Inspect without errors: ` +
          'labels: false.',
      );
    }
    const row = [...values.slice(i * units!, (i + 1) * units!)];
    const shownRow = `${row.slice(0, MOST_SHOWN).join(', ')}${row.length > MOST_SHOWN ? ', ...' : ''}`;
    throw new LabelsError(
      `Batch ${batch}, label ${i}: expected a row with one largest value, got [${shownRow}]. Each label is one class: a ` +
        'one-hot row, a row of probabilities, or an integer. For labels of several classes at once (multi-hot), or of ' +
        'none, inspect without errors: labels: false.',
    );
  });
  return { samples, classes };
}

/**
 * The share of wrong classes per sample: 0 or 1, or in between where a sample has many positions. NaN is always wrong.
 *
 * @param outputs the model's outputs for the samples of `labels`, row-major.
 * @param units the size of their last axis; with one, they are probabilities of class 1.
 * @throws {LabelsError} if a single unit's output is no probability.
 */
export function errorsOf(outputs: ArrayLike<number>, units: number, labels: Labels): Float64Array {
  const { classes, samples } = labels;
  const predicted = units === 1 ? rounded(outputs) : largest(outputs, units);
  const positions = classes.length / samples;
  const errors = new Float64Array(samples);
  classes.forEach((label, i) => {
    if (predicted[i] !== label) errors[Math.floor(i / positions)]! += 1 / positions;
  });
  return errors;
}

/** The class of each row; -1 for a row that has several largest values, such as all zeros, or NaN. */
function classesOf(values: ArrayLike<number>, units: number): Int32Array {
  return largest(values, units).map((best, row) => {
    for (let unit = best + 1; unit < units; unit++) {
      if (values[row * units + unit] === values[row * units + best]) return -1;
    }
    return best;
  });
}

/** The place of the first largest value of each row, as argMax has it; -1 if a row has a NaN. */
function largest(values: ArrayLike<number>, units: number): Int32Array {
  const places = new Int32Array(values.length / units);
  for (let row = 0; row < places.length; row++) places[row] = largestInRow(values, row * units, units);
  return places;
}

function rounded(values: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: values.length }, (_, i) => {
    const value = values[i]!;
    if (value < 0 || value > 1) {
      throw new LabelsError(
        `Expected the single output unit to be the probability of class 1, got ${value}. End the model with a ` +
          'sigmoid, or inspect without errors: labels: false.',
      );
    }
    return Number.isNaN(value) ? -1 : Number(value > 0.5);
  });
}
