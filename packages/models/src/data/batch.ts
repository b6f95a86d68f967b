// One batch, checked against the model's inputs before anything runs.
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { DisposedTensorError, InputShapeError, InvalidDataError } from '../errors.ts';
import { type AnyModel, modelOf } from '../model-of.ts';
import type { Endpoint, NormalizedModel } from '../normalized-model.ts';
import { keysOf } from './source.ts';

/** The model's inputs for one batch, in the order of `model.inputs`. */
export interface Batch {
  readonly inputs: readonly tf.Tensor[];
  readonly samples: number;
  /** The inputs' shapes without their batch axis: two batches with the same run through the same graph. */
  readonly signature: string;
}

/**
 * Reads one element of the data.
 *
 * @param what what to call it in messages, such as `Batch 3`.
 * @throws {InvalidDataError} for something else than tensors, or of a dtype that an input does not take, {DisposedTensorError}, {InputShapeError}. {NotAModelError}
 *   for anything that is no model.
 */
export function readBatch(element: unknown, model: AnyModel, what: string): Batch {
  return readInputs(element, modelOf('readBatch', model).inputs, what);
}

/** The same for inputs that are not a model's own, such as those that are still to be cut into batches. */
export function readInputs(element: unknown, expected: readonly Endpoint[], what: string): Batch {
  const inputs = tensorsOf(element, expected, what);
  inputs.forEach((tensor, i) => {
    checkInput(tensor, expected[i]!, what);
    checkType(tensor, expected[i]!, what);
  });
  const samples = inputs[0]!.shape[0]!;
  for (const [i, tensor] of inputs.entries()) {
    if (tensor.shape[0] === samples) continue;
    throw new InputShapeError(
      `${what}: expected all inputs to have the same number of samples, got ${samples} for input ` +
        `'${expected[0]!.name}' and ${tensor.shape[0]} for '${expected[i]!.name}'.`,
    );
  }
  return { inputs, samples, signature: inputs.map((tensor) => tensor.shape.slice(1).join('x')).join() };
}

/** The first `samples` samples of a batch; tidy it. */
export function firstSamples(batch: Batch, samples: number): readonly tf.Tensor[] {
  if (samples >= batch.samples) return batch.inputs;
  return batch.inputs.map((tensor) => tf.slice(tensor, 0, samples));
}

/** The only number of samples that a model takes at once; undefined where it takes any. */
export function onlyBatchSize({ inputs }: NormalizedModel): number | undefined {
  return inputs.find(({ shape }) => shape[0] !== null)?.shape[0] ?? undefined;
}

function tensorsOf(element: unknown, inputs: readonly Endpoint[], what: string): tf.Tensor[] {
  const names = inputs.map(({ name }) => name);
  const expected =
    names.length === 1 ? 'a tensor' : `tensors for the ${names.length} inputs ${names.join(', ')}`;
  const fail = (came: string): never => {
    throw new InvalidDataError(`${what}: expected ${expected} (or {xs, ys} with such xs), got ${came}.`);
  };
  if (element instanceof tf.Tensor) return names.length === 1 ? [element] : fail('a single tensor');
  if (typeof element !== 'object' || element === null) return fail(shown(element));
  if ('xs' in element && !names.includes('xs')) return tensorsOf(element.xs, inputs, what);
  if (Array.isArray(element)) {
    const tensors = element.every((item) => item instanceof tf.Tensor);
    return tensors && element.length === names.length ? element : fail(`an array of ${element.length} items`);
  }
  const keyed = element as Record<string, unknown>;
  return names.map((name) => {
    const tensor = keyed[name];
    return tensor instanceof tf.Tensor ? tensor : fail(`an object with ${keysOf(element)}`);
  });
}

function checkInput(tensor: tf.Tensor, { name, shape: expected }: Endpoint, what: string): void {
  if (tensor.isDisposed) {
    throw new DisposedTensorError(
      `${what}, input '${name}': the tensor is already disposed. Keep it until it has been used; if an ` +
        'iterable yields the same tensor twice, pass an array, whose tensors are left alone.',
    );
  }
  const { shape } = tensor;
  const fits = shape.length === expected.length && shape.every((size, i) => size === (expected[i] ?? size));
  if (fits && shape[0]! > 0) return;
  const show = (sizes: readonly (number | null)[]) => `[${sizes.map((size) => size ?? '?').join(', ')}]`;
  const unbatched = shape.length === expected.length - 1;
  const [only] = expected;
  const cut = only !== null && shape.length === expected.length && shape[0] !== only;
  throw new InputShapeError(
    `${what}, input '${name}': expected shape ${show(expected)}${shape[0] === 0 ? ' with at least one sample' : ''}, ` +
      `got ${show(shape)}.${unbatched ? ' Batches need a batch axis: dataset.batch(64), or tf.expandDims(x, 0).' : ''}` +
      (cut ? ` The model was built for batches of ${only} and takes no others: cut the data into such.` : ''),
  );
}

function checkType(
  { dtype: came }: tf.Tensor,
  { name, dtype, takesNoOther = false }: Endpoint,
  what: string,
): void {
  if (dtype === undefined || came === dtype) return;
  const isNumeric = came !== 'string' && dtype !== 'string';
  if (isNumeric && !takesNoOther) return;
  const remedy = isNumeric ? ` Cast it: tf.cast(x, '${dtype}').` : '';
  throw new InvalidDataError(
    `${what}, input '${name}': expected a tensor of ${dtype}, got one of ${came}.${remedy}`,
  );
}
