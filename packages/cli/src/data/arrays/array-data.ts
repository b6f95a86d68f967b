import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { DataError } from '../../errors.ts';
import { sampleWriter, unchanged } from '../../preprocessing/prepare.ts';
import { ahead } from '../ahead.ts';
import type { BadSample, Data, ReadOptions, SampleBatch, SampleRange } from '../data.ts';
import { type DataDescription, type DataSource, inputDescribed } from '../description.ts';
import { flawOfPrepared, leftOut } from '../finite.ts';
import { batchesOf, orderOf } from '../order.ts';
import { type Arrays, openArrays } from './open-arrays.ts';
import { lengthOf, readSample, type SampleArray } from './sample-array.ts';

/** Samples of arrays in a file. */
export async function arrayData(
  description: DataDescription,
  source: Exclude<DataSource, { kind: 'folder' | 'module' }>,
): Promise<Data> {
  const opened = await openArrays(source);
  try {
    return dataOf(description, source, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function dataOf(
  description: DataDescription,
  source: Exclude<DataSource, { kind: 'folder' | 'module' }>,
  { inputs: arrays, labels: openLabels, close }: Arrays,
): Data {
  const { preprocessing, shuffle, skipBad } = description;
  const { samples } = arrays[0]!.array;
  const order = orderOf(samples, shuffle);
  const writers = arrays.map(({ name, array }) => {
    const { dtype, layout, sampleShape, asItIs } = inputDescribed(description, name);
    const shape = reshaped(array, sampleShape);
    const first = layout === 'nchw' && shape.length === 3;
    const channels = first ? shape[0]! : (shape.at(-1) ?? 1);
    const write = asItIs ? unchanged : sampleWriter(preprocessing, channels, first ? 'already' : 'no');
    return { dtype, shape, write };
  });
  const nameOf = (position: number) => `sample ${order[position]!} of ${arrays[0]!.array.name}`;

  const readOne = async (
    position: number,
    into: readonly Float32Array[],
    slot: number,
  ): Promise<BadSample | undefined> => {
    for (const [i, { array }] of arrays.entries()) {
      const values = await readSample(array, order[position]!);
      const at = slot * values.length;
      writers[i]!.write(values, into[i]!, at);
      const reason = flawOfPrepared(into[i]!.subarray(at, at + values.length), values);
      if (reason !== undefined) return leftOut({ position, name: nameOf(position), reason }, skipBad);
    }
    return undefined;
  };

  let opened: Promise<SampleArray> | undefined;
  const labelsAt = async (positions: readonly number[]) => {
    if (openLabels === null) return null;
    opened ??= openLabels();
    return labelsOf(
      await opened,
      positions.map((position) => order[position]!),
    );
  };

  const readBatch = async (
    { from, to }: SampleRange,
    labels: boolean,
    signal?: AbortSignal,
  ): Promise<SampleBatch> => {
    const values = arrays.map(({ array }) => new Float32Array((to - from) * lengthOf(array)));
    const bad: BadSample[] = [];
    const good: number[] = [];
    for (let position = from; position < to; position++) {
      signal?.throwIfAborted();
      const flaw = await readOne(position, values, good.length);
      if (flaw) bad.push(flaw);
      else good.push(position);
    }
    return {
      from,
      to,
      count: good.length,
      positions: Int32Array.from(good),
      inputs: arrays.map(({ name, array }, i) => ({
        name,
        dtype: writers[i]!.dtype,
        shape: [good.length, ...writers[i]!.shape],
        values: values[i]!.subarray(0, good.length * lengthOf(array)),
      })),
      labels: labels ? await labelsAt(good) : null,
      bad,
    };
  };

  return {
    count: samples,
    classes: null,
    labelled: openLabels !== null,
    sampleShape: writers[0]!.shape,
    nameOf,
    read: ({ batchSize, labels = false, signal, ...range }: ReadOptions) =>
      ahead(batchesOf(range, batchSize), (batch) => readBatch(batch, labels, signal)),
    async fingerprint() {
      const hash = createHash('sha256').update(JSON.stringify({ ...description, source: source.kind }));
      await pipeline(createReadStream(source.path), hash, { end: false });
      return hash.digest('hex');
    },
    async thumbnail() {
      return undefined;
    },
    close,
  };
}

function reshaped(array: SampleArray, shape: readonly number[] | null): readonly number[] {
  if (shape === null) return array.shape;
  if (lengthOf({ shape }) === lengthOf(array)) return shape;
  throw new DataError(
    `${array.name}: expected samples of shape [${shape.join(', ')}], as the model takes them, got ` +
      `[${array.shape.join(', ')}].`,
  );
}

async function labelsOf(labels: SampleArray, indices: readonly number[]): Promise<Int32Array> {
  const result = new Int32Array(indices.length);
  for (const [i, index] of indices.entries()) {
    const [label] = await readSample(labels, index);
    if (!Number.isInteger(label) || label! < 0 || label! >= 2 ** 31) {
      throw new DataError(
        `${labels.name}: expected classes as whole numbers from 0 on, got ${label} for sample ${index}. ` +
          'Do without them: --no-labels.',
      );
    }
    result[i] = label!;
  }
  return result;
}
