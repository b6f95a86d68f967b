// Batches as tensors, as the tools of Rebatch take them.
import * as tf from '@tensorflow/tfjs-core';
import { DataError } from '../errors.ts';
import type { BadSample, BatchInput, Data, SampleBatch, SampleRange } from './data.ts';
import { isInputNamed } from './description.ts';

/** A batch on the device; whoever gets it disposes it. */
export type TensorBatch = {
  readonly xs: tf.Tensor | readonly tf.Tensor[] | { readonly [input: string]: tf.Tensor };
  readonly ys?: tf.Tensor;
};

/**
 * Takes a batch: the values of its inputs may be others afterwards.
 *
 * @param withLabels whether labels come along, as int32 of shape [samples].
 * @param order the names of the model's inputs, for data of several: they then come as a list in this order.
 * @throws {DataError} if the data lacks one of them.
 */
export function toTensors(
  { inputs, labels, count, release }: SampleBatch,
  withLabels: boolean,
  order?: readonly string[],
): TensorBatch {
  const single = inputs.length === 1 && inputs[0]!.name === null;
  const chosen = single || order === undefined ? inputs : order.map((name) => inputNamed(inputs, name));
  const tensors = chosen.map(({ dtype, shape, values }) =>
    tf.tensor(dtype === 'int32' ? Int32Array.from(values, Math.round) : values, [...shape], dtype),
  );
  // This backend copies values into its heap; the others keep them.
  if (tf.getBackend() === 'wasm') release?.();
  const named = () => Object.fromEntries(chosen.map(({ name }, i) => [name, tensors[i]!]));
  const xs = single ? tensors[0]! : order === undefined ? named() : tensors;
  return withLabels && labels ? { xs, ys: tf.tensor1d(labels.subarray(0, count), 'int32') } : { xs };
}

/** By a model's name for it. */
function inputNamed(inputs: readonly BatchInput[], name: string): BatchInput {
  const found = inputs.find((one) => isInputNamed(one.name, name));
  if (found) return found;
  throw new DataError(
    `Expected an array for each input of the model, '${name.replace(/:0$/, '')}' too, got ` +
      `${inputs.map((one) => one.name).join(', ')}.`,
  );
}

/** How data is read for a tool. */
export interface TensorsOptions {
  /** Default: all. */
  readonly range?: SampleRange | undefined;
  readonly batchSize: number;
  readonly labels?: boolean;
  /** See {@link toTensors}. */
  readonly order?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Called with what was left out, once per sample and pass. */
  readonly onBad?: (bad: BadSample) => void;
}

/** Data as an iterable that can be read again and again; batches of which nothing is left are passed over. */
export function tensorsOf(
  data: Data,
  { range, batchSize, labels = false, order, signal, onBad }: TensorsOptions,
): AsyncIterable<TensorBatch> {
  const { from, to } = range ?? { from: 0, to: data.count ?? Number.MAX_SAFE_INTEGER };
  return {
    async *[Symbol.asyncIterator]() {
      let count = 0;
      for await (const batch of data.read({ from, to, batchSize, labels, signal })) {
        for (const bad of batch.bad) onBad?.(bad);
        if (batch.count === 0) continue;
        count += batch.count;
        yield toTensors(batch, labels, order);
      }
      if (count === 0) throw new DataError('Expected at least one sample that can be read, got none.');
    },
  };
}
