// An array of samples in a file: its shape is known, and samples are read where they lie.
import type { ByteSource } from '@rebatch/files/node/~internal';
import { DataError } from '../../errors.ts';

/** How one number is stored. */
export interface NumberType {
  readonly bytes: number;
  /** Whether it holds whole numbers from 0 to 255, as pictures do. */
  readonly isByte: boolean;
  read(view: DataView, at: number): number;
}

/** An array whose first axis counts samples. */
export interface SampleArray {
  /** What messages call it. */
  readonly name: string;
  readonly samples: number;
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly type: NumberType;
  /** Where the first sample begins. */
  readonly offset: number;
  readonly source: ByteSource;
}

/** Values of one sample are not more than this: an array of 2^28 numbers. */
const MAX_SAMPLE = 2 ** 28;

/** @throws {DataError} unless the file is as long as its header says. */
export function checkArray(array: SampleArray): SampleArray {
  const { name, samples, source, offset } = array;
  const length = lengthOf(array);
  if (samples < 1 || length < 1) throw new DataError(`${name} holds no samples.`);
  if (length > MAX_SAMPLE)
    throw new DataError(`${name}: one sample would have ${length} values, more than ${MAX_SAMPLE}.`);
  const expected = offset + samples * length * array.type.bytes;
  if (source.size >= expected) return array;
  throw new DataError(
    `${name}: expected ${expected} bytes for ${samples} samples of shape [${array.shape.join(', ')}], got ${source.size}: ` +
      'the file is cut short.',
  );
}

/** Values of one sample. */
export const lengthOf = ({ shape }: Pick<SampleArray, 'shape'>): number => shape.reduce((a, b) => a * b, 1);

/** The values of one sample. */
export async function readSample(array: SampleArray, index: number): Promise<Float64Array> {
  const { type, source, offset } = array;
  const length = lengthOf(array);
  const bytes = await source.read(offset + index * length * type.bytes, length * type.bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length }, (_, i) => type.read(view, i * type.bytes));
}
