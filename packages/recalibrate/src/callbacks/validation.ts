// Validation data in the forms that fit takes, and a model's metrics on it.

import { type BatchInputs, type DatasetLike, InvalidDataError } from '@rebatch/models';
import { elementsOf, openSource } from '@rebatch/models/~internal';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { InsufficientDataError, RecalibrationOptionError } from '../errors.ts';

/**
 * Inputs and labels, as `[xs, ys]` or `{xs, ys}`: tensors with a batch axis, or lists or objects of them; or a
 * `tf.data.Dataset` of batches of `{xs, ys}`. Tensors stay the caller's.
 */
export type ValidationData =
  | readonly [xs: BatchInputs, ys: BatchInputs]
  | { readonly xs: BatchInputs; readonly ys: BatchInputs }
  | DatasetLike;

/** Runs a synchronous function while the model has the statistics that it is evaluated under. */
export type Scope = <T>(body: () => T) => T;

/** A model's metrics on the data, in the order of its names. Each batch of a dataset is a scope of its own. */
export type Evaluation = (model: tfl.LayersModel, scope: Scope, signal?: AbortSignal) => Promise<number[]>;

/**
 * Checks validation data.
 *
 * @param callback whose option it is, for messages.
 * @throws {InvalidDataError} for another kind of data. {RecalibrationOptionError} for a batch size with a dataset.
 */
export function readValidation(
  callback: string,
  data: ValidationData,
  batchSize: number | undefined,
): Evaluation {
  if (typeof data === 'object' && data !== null) {
    if ('iterator' in data && typeof data.iterator === 'function') {
      return ofDataset(callback, data, batchSize);
    }
    const [xs, ys] = Array.isArray(data) && data.length === 2 ? data : 'xs' in data ? [data.xs, data.ys] : [];
    if (holdsTensors(xs) && holdsTensors(ys)) {
      return (model, scope) => evaluate(model, xs, ys, batchSize, scope);
    }
  }
  throw new InvalidDataError(
    `${callback}: expected option validationData as [xs, ys] or {xs, ys} of tensors, or a tf.data.Dataset of ` +
      `batches of {xs, ys}, got ${shown(data)}.`,
  );
}

function ofDataset(callback: string, data: DatasetLike, batchSize: number | undefined): Evaluation {
  if (batchSize !== undefined) {
    throw new RecalibrationOptionError(
      `${callback}: expected no option batchSize with a dataset, whose batches are what they are, got ${batchSize}. ` +
        'Use dataset.batch(batchSize).',
    );
  }
  if (data.size === Number.POSITIVE_INFINITY) {
    throw new InvalidDataError(
      `${callback}: expected validationData that ends, got a dataset that repeats for ever. Use dataset.take(batches).`,
    );
  }
  return async (model, scope, signal) => {
    // Not evaluateDataset: that waits for data under the statistics, and forgets tensors when it fails.
    const sums = model.metricsNames.map(() => 0);
    let samples = 0;
    for await (const element of elementsOf(openSource(data), signal)) {
      try {
        const { xs, ys } = readElement(callback, element);
        const size = (xs instanceof tf.Tensor ? xs : (Object.values(xs)[0] as tf.Tensor)).shape[0] ?? 0;
        const metrics = await evaluate(model, xs, ys, Math.max(1, size), scope);
        for (const [i, metric] of metrics.entries()) sums[i]! += size * metric;
        samples += size;
      } finally {
        tf.dispose(element as tf.TensorContainer);
      }
    }
    if (samples > 0) return sums.map((sum) => sum / samples);
    throw new InsufficientDataError(
      `${callback}: expected validationData with at least one sample, got none.`,
    );
  };
}

async function evaluate(
  model: tfl.LayersModel,
  xs: BatchInputs,
  ys: BatchInputs,
  batchSize: number | undefined,
  scope: Scope,
): Promise<number[]> {
  const options = batchSize === undefined ? {} : { batchSize };
  // The types of tf.layers know nothing of objects by name, which its evaluate takes.
  const results = [scope(() => model.evaluate(xs as tf.Tensor, ys as tf.Tensor, options))].flat();
  try {
    const values = await Promise.all(results.map((result) => result.data()));
    return values.map((value) => value[0]!);
  } finally {
    tf.dispose(results);
  }
}

function readElement(callback: string, element: unknown): { xs: BatchInputs; ys: BatchInputs } {
  const { xs, ys } =
    typeof element === 'object' && element !== null ? (element as Record<string, unknown>) : {};
  if (holdsTensors(xs) && holdsTensors(ys)) return { xs, ys };
  throw new InvalidDataError(
    `${callback}: expected batches of validationData as {xs, ys} of tensors, got ${shown(element)}.`,
  );
}

/** The names of a model's metrics as fit gives them: those that occur twice are numbered. */
export function metricNames(model: tfl.LayersModel): string[] {
  const names = model.metricsNames;
  return names.map((name, i) => {
    const same = (list: readonly string[]) => list.filter((other) => other === name).length;
    return same(names) > 1 ? `${name}_${same(names.slice(0, i))}` : name;
  });
}

function holdsTensors(value: unknown): value is BatchInputs {
  if (value instanceof tf.Tensor) return true;
  if (typeof value !== 'object' || value === null) return false;
  const items: unknown[] = Object.values(value);
  return items.length > 0 && items.every((item) => item instanceof tf.Tensor);
}
