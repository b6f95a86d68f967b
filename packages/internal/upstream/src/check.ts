// Runs one call of an op on the current backend, and says what is wrong with it.
import { relativeError } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from './op-case.ts';
import { distinct, type Values } from './values.ts';

const TOLERANCE = 2e-5;

/** Of one part of a call. */
export interface Finding {
  readonly part: string;
  readonly symptom: 'wrong' | 'throws';
  readonly detail: string;
}

/** The parts of a call: its value, and the gradient for each float32 input if it has gradients. */
export function partsOf({ inputs, dtypes = {}, differentiable = true }: OpCase): string[] {
  const names = Object.keys(inputs).filter((name) => dtypes[name] === undefined);
  return ['value', ...(differentiable ? names.map((name) => `gradient of ${name}`) : [])];
}

/** Runs these parts of a call, and leaves nothing behind but what a gradient that throws has kept. */
export async function check(one: OpCase, parts: readonly string[]): Promise<Finding[]> {
  const expected = one.expected();
  const weights = distinct(expected.shape, -1, 1, 9);
  const gradients = parts.length > 1 ? expected.gradients(weights.data) : {};
  const tensors = Object.fromEntries(
    Object.entries(one.inputs).map(([name, values]) => [name, tensorOf(values, one.dtypes?.[name])]),
  );
  const dy = tensorOf(weights);
  const findings: Finding[] = [];
  for (const part of parts) {
    const name = part.slice('gradient of '.length);
    const finding =
      part === 'value'
        ? await compare(() => one.run(tensors), { shape: expected.shape, data: expected.y }, one.tolerance)
        : await compare(
            () => tf.grad((x: tf.Tensor) => one.run({ ...tensors, [name]: x }))(tensors[name]!, dy),
            { shape: one.inputs[name]!.shape, data: gradients[name]! },
            one.tolerance,
          );
    if (finding !== undefined) findings.push({ part, ...finding });
  }
  tf.dispose([tensors, dy]);
  return findings;
}

const tensorOf = ({ data, shape }: Values, dtype: 'float32' | 'int32' | 'bool' = 'float32') =>
  tf.tensor(Array.from(data), [...shape], dtype);

async function compare(
  run: () => tf.Tensor,
  { shape, data }: Values,
  tolerance = TOLERANCE,
): Promise<Omit<Finding, 'part'> | undefined> {
  let made: tf.Tensor | undefined;
  try {
    made = tf.tidy(run);
    if (`${made.shape}` !== `${shape}`) {
      return { symptom: 'wrong', detail: `shape [${made.shape}] instead of [${shape}]` };
    }
    const error = relativeError(await made.data(), data);
    return error > tolerance ? { symptom: 'wrong', detail: `off by ${error}` } : undefined;
  } catch (error) {
    return { symptom: 'throws', detail: (error as Error).message };
  } finally {
    made?.dispose();
  }
}
