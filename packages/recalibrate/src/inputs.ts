/** One batch, checked against the model's inputs before anything runs. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { keysOf } from './data.ts';
import { DisposedTensorError, InputShapeError, InvalidDataError } from './errors.ts';

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
 * @throws {InvalidDataError} for something else than tensors, {DisposedTensorError}, {InputShapeError}.
 */
export function readBatch(element: unknown, model: tfl.LayersModel, what: string): Batch {
  const inputs = tensorsOf(element, model, what);
  inputs.forEach((tensor, i) => {
    checkInput(tensor, model, i, what);
  });
  const samples = inputs[0]!.shape[0]!;
  for (const [i, tensor] of inputs.entries()) {
    if (tensor.shape[0] === samples) continue;
    throw new InputShapeError(
      `${what}: expected all inputs to have the same number of samples, got ${samples} for input ` +
        `'${inputNames(model)[0]}' and ${tensor.shape[0]} for '${inputNames(model)[i]}'.`,
    );
  }
  return { inputs, samples, signature: inputs.map((tensor) => tensor.shape.slice(1).join('x')).join() };
}

/** The first `samples` samples of a batch; tidy it. */
export function firstSamples(batch: Batch, samples: number): readonly tf.Tensor[] {
  if (samples >= batch.samples) return batch.inputs;
  return batch.inputs.map((tensor) => tf.slice(tensor, 0, samples));
}

/** `model.inputNames`, which is empty for Sequential models. */
function inputNames(model: tfl.LayersModel): string[] {
  return model.inputs.map(({ sourceLayer }) => sourceLayer.name);
}

function tensorsOf(element: unknown, model: tfl.LayersModel, what: string): tf.Tensor[] {
  const names = inputNames(model);
  const expected =
    names.length === 1 ? 'a tensor' : `tensors for the ${names.length} inputs ${names.join(', ')}`;
  const fail = (came: string): never => {
    throw new InvalidDataError(`${what}: expected ${expected} (or {xs, ys} with such xs), got ${came}.`);
  };
  if (element instanceof tf.Tensor) return names.length === 1 ? [element] : fail('a single tensor');
  if (typeof element !== 'object' || element === null) return fail(String(element));
  if ('xs' in element && !names.includes('xs')) return tensorsOf(element.xs, model, what);
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

function checkInput(tensor: tf.Tensor, model: tfl.LayersModel, input: number, what: string): void {
  const name = inputNames(model)[input]!;
  if (tensor.isDisposed) {
    throw new DisposedTensorError(
      `${what}, input '${name}': the tensor is already disposed. Keep it until it has been used; if an ` +
        'iterable yields the same tensor twice, pass an array, whose tensors are left alone.',
    );
  }
  const expected = model.inputs[input]!.shape;
  const { shape } = tensor;
  const fits = shape.length === expected.length && shape.every((size, i) => size === (expected[i] ?? size));
  if (fits && shape[0]! > 0) return;
  const show = (sizes: readonly (number | null)[]) => `[${sizes.map((size) => size ?? '?').join(', ')}]`;
  const unbatched = shape.length === expected.length - 1;
  throw new InputShapeError(
    `${what}, input '${name}': expected shape ${show(expected)}${shape[0] === 0 ? ' with at least one sample' : ''}, ` +
      `got ${show(shape)}.${unbatched ? ' Batches need a batch axis: dataset.batch(64), or tf.expandDims(x, 0).' : ''}`,
  );
}
