// Data for models that were built for batches of one size: they take no batch of which something was left out.
import type { BadSample, Data, SampleBatch } from './data.ts';

/**
 * The same data; a batch of which some samples could not be read is left out as a whole, and its other samples are named, too.
 * So batches are of the same positions wherever they are read.
 *
 * @param size that the model was built for; undefined for one that takes batches of any size.
 */
export function wholeBatches(data: Data, size: number | undefined): Data {
  if (size === undefined) return data;
  return {
    ...data,
    async *read(options) {
      for await (const batch of data.read(options)) yield wholeOrNone(batch, size, data);
    },
  };
}

function wholeOrNone(batch: SampleBatch, size: number, { nameOf }: Pick<Data, 'nameOf'>): SampleBatch {
  const { from, to, count, bad, positions, inputs, labels } = batch;
  if (bad.length === 0 || count === 0 || to - from !== size) return batch;
  batch.release?.();
  const others = Array.from(positions, (position): BadSample => {
    const reason = `is in a batch of ${size} that others are missing from, and the model takes whole ones alone`;
    return { position, name: nameOf(position), reason, batchOf: size };
  });
  return {
    ...{ from, to, count: 0, positions: new Int32Array(0) },
    inputs: inputs.map(({ shape: [, ...shape], ...input }) => ({
      ...input,
      shape: [0, ...shape],
      values: new Float32Array(0),
    })),
    labels: labels && new Int32Array(0),
    bad: [...bad, ...others].sort((a, b) => a.position - b.position),
  };
}
