/** Which outputs are wrong, decided on the host in plain loops: the same on every backend. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { LabelsError } from './errors.ts';

/** The classes of one batch: one for each sample, or for each position of each sample. */
export interface Labels {
  readonly samples: number;
  readonly classes: Int32Array;
}

/**
 * Reads labels as classes: one-hot (or probabilities: the largest counts) in the shape of the output, or integers in
 * that shape without its last axis. A model with one output unit has the classes 0 and 1.
 *
 * @throws {LabelsError} (rejects) for labels that do not fit the model's output, or a class that it does not have.
 */
export async function readLabels(
  ys: unknown,
  model: tfl.LayersModel,
  samples: number,
  batch: number,
): Promise<Labels> {
  if (model.outputs.length !== 1) {
    throw new LabelsError(
      `Model '${model.name}' has ${model.outputs.length} outputs; errors are measured for models with one. ` +
        'Inspect without errors: labels: false.',
    );
  }
  const output = model.outputs[0]!.shape;
  const units = output.at(-1);
  const shape = (ys as tf.Tensor | undefined)?.shape;
  const fits = (expected: readonly (number | null)[]) =>
    Array.isArray(shape) &&
    shape.length === expected.length &&
    expected.every((size, i) => shape[i] === (i === 0 ? samples : (size ?? shape[i])));
  const positions = output.slice(0, -1);
  const integers = fits(positions) || fits([...positions, 1]);
  if (!integers && !(fits(output) && units! > 1)) {
    const show = (sizes: readonly (number | null)[]) =>
      `[${[samples, ...sizes.slice(1)].map((size) => size ?? '?').join(', ')}]`;
    throw new LabelsError(
      `Batch ${batch}: expected ys as one tensor for the output '${model.outputNames[0]}', one-hot of shape ` +
        `${show(output)} or integer classes of shape ${show(positions)}, got ` +
        `${shape ? `shape [${shape.join(', ')}]` : String(ys)}. Inspect without errors: labels: false.`,
    );
  }
  const tensor = ys as tf.Tensor;
  if (tensor.isDisposed) throw new LabelsError(`Batch ${batch}: its ys are already disposed.`);
  const values = await tensor.data();
  const classes = integers ? Int32Array.from(values) : oneHot(values, units!);
  const count = units === 1 ? 2 : units!;
  classes.forEach((label, i) => {
    const whole = !integers || label === values[i];
    if (whole && label >= 0 && label < count) return;
    const came = integers
      ? String(values[i])
      : `[${[...values.slice(i * units!, (i + 1) * units!)].join(', ')}]`;
    throw new LabelsError(
      `Batch ${batch}, label ${i}: expected ${integers ? `a class from 0 to ${count - 1}` : 'a one-hot row'}, got ` +
        `${came}. Inspect without errors: labels: false.`,
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

/** The class of each row; -1 for a row that favors none, such as all zeros. */
function oneHot(values: ArrayLike<number>, units: number): Int32Array {
  return largest(values, units).map((best, row) => {
    const favors = Array.from(
      { length: units },
      (_, i) => values[row * units + i]! < values[row * units + best]!,
    );
    return favors.includes(true) ? best : -1;
  });
}

/** The place of the first largest value of each row, as argMax has it; -1 if a row has a NaN. */
function largest(values: ArrayLike<number>, units: number): Int32Array {
  return Int32Array.from({ length: values.length / units }, (_, row) => {
    let best = 0;
    for (let unit = 0; unit < units; unit++) {
      const value = values[row * units + unit]!;
      if (Number.isNaN(value)) return -1;
      if (value > values[row * units + best]!) best = unit;
    }
    return best;
  });
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
