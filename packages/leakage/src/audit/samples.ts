// The samples of an audit, all at hand, because it groups them again and again.
import { allOrNone } from '@rebatch/core/~internal';
import { type NormalizedModel, readBatch } from '@rebatch/models';
import { type Elements, elementsOf, sourceOf } from '@rebatch/models/~internal';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { AuditError } from '../errors.ts';

/** Inputs with their labels, samples along the first axis. */
export interface LabeledBatch {
  readonly xs: tf.Tensor;
  readonly ys: tf.Tensor;
}

/**
 * One labeled batch, an array of them (which stay the caller's), or a `tf.data.Dataset` or (async) iterable of batches,
 * whose tensors are disposed after use.
 */
export type LabeledData = LabeledBatch | readonly LabeledBatch[] | Elements<LabeledBatch>;

/** The first `most` samples as one batch on the device. The caller disposes it. */
export async function collect(
  model: NormalizedModel,
  data: LabeledData,
  most: number,
  signal?: AbortSignal,
): Promise<LabeledBatch> {
  const source = sourceOf(isBatch(data) ? [data] : data) ?? refuse(data);
  const parts: LabeledBatch[] = [];
  let samples = 0;
  try {
    for await (const element of elementsOf(source, signal)) {
      try {
        const batch = checkBatch(element, model, parts);
        const rows = Math.min(batch.xs.shape[0]!, most - samples);
        parts.push(
          allOrNone((add) => ({ xs: add(firstRows(batch.xs, rows)), ys: add(firstRows(batch.ys, rows)) })),
        );
        samples += rows;
      } finally {
        if (source.owned) tf.dispose(element as tf.TensorContainer);
      }
      if (samples >= most) break;
    }
    if (samples === 0) throw new AuditError('Expected at least one batch of samples, got none.');
    return allOrNone((add) => ({
      xs: add(tf.concat(parts.map(({ xs }) => xs))),
      ys: add(tf.concat(parts.map(({ ys }) => ys))),
    }));
  } finally {
    for (const { xs, ys } of parts) tf.dispose([xs, ys]);
  }
}

function firstRows(tensor: tf.Tensor, rows: number): tf.Tensor {
  return tf.slice(tensor, 0, rows);
}

function refuse(data: unknown): never {
  throw new AuditError(
    `Expected data as {xs, ys}, a list or iterable of them, or a tf.data.Dataset, got ${shown(data)}.`,
  );
}

function isBatch(data: unknown): data is LabeledBatch {
  return typeof data === 'object' && data !== null && 'xs' in data && 'ys' in data;
}

/**
 * @param before batches that it is to be one with.
 * @throws {AuditError}, and for inputs that the model cannot take what `readBatch` throws.
 */
function checkBatch(element: unknown, model: NormalizedModel, before: readonly LabeledBatch[]): LabeledBatch {
  const what = `Batch ${before.length}`;
  const batch = isBatch(element) ? element : undefined;
  if (!(batch?.xs instanceof tf.Tensor) || !(batch.ys instanceof tf.Tensor)) {
    const came = isBatch(element) ? `xs: ${shown(element.xs)}, ys: ${shown(element.ys)}` : shown(element);
    throw new AuditError(`${what}: expected {xs, ys} with one tensor each, got ${came}.`);
  }
  const [inputs, labels] = [batch.xs.shape, batch.ys.shape];
  if (inputs[0] !== labels[0] || !((inputs[0] ?? 0) > 0)) {
    throw new AuditError(
      `${what}: expected as many labels as samples, at least one, got shapes [${inputs}] and [${labels}].`,
    );
  }
  readBatch(batch.xs, model, what);
  if (batch.ys.isDisposed) {
    throw new AuditError(
      `${what}: the tensor of its ys is already disposed. Keep it until it has been used.`,
    );
  }
  checkAlike(batch, before[0] ?? batch, what);
  return batch;
}

/** @throws {AuditError} for samples that do not go into one tensor with those of the first batch. */
function checkAlike(batch: LabeledBatch, first: LabeledBatch, what: string): void {
  for (const key of ['xs', 'ys'] as const) {
    const [expected, came] = [first, batch].map(
      (one) => `${one[key].dtype} of shape [${one[key].shape.slice(1)}]`,
    );
    if (came === expected) continue;
    throw new AuditError(
      `${what}: expected ${key} to be ${expected} for each sample, as in batch 0, got ${came}. Bring all samples to the same.`,
    );
  }
}
