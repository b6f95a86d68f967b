// Weights of HDF5 as TensorFlow.js stores them. What it can store is kept bit by bit, float16 included; the rest becomes
// the nearest type that it has.

import type { io } from '@tensorflow/tfjs-core';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import type { Dataset } from '../h5/dataset.ts';
import { elementsOf } from '../h5/datatype.ts';

type Spec = Pick<io.WeightsManifestEntry, 'dtype' | 'quantization'>;

/** How a weight is stored for TensorFlow.js, and the bytes of one value there. */
export interface StoredAs {
  readonly spec: Spec;
  readonly bytes: number;
  /** What became of it, when values may have changed. */
  readonly note?: string;
  /** The bytes to store, of those of the file. */
  convert(values: Uint8Array): Uint8Array;
}

/** `bfloat16` says that the dataset is marked as such, in which case it holds opaque pairs of bytes. */
export function storedAs(dataset: Dataset, bfloat16: boolean): StoredAs {
  const { type, name } = dataset;
  const count = elementsOf(dataset.shape);
  if (type.kind === 'bfloat16' || (type.kind === 'opaque' && type.size === 2 && bfloat16)) {
    const bigEndian = type.kind === 'bfloat16' && type.bigEndian;
    // A bfloat16 is the upper half of a float32, so nothing is lost.
    return { ...FLOAT32, convert: (values) => widen(bigEndian ? reversed(values, 2) : values, count) };
  }
  if (type.kind === 'boolean') return { spec: { dtype: 'bool' }, bytes: 1, convert: (values) => values };
  if (type.kind === 'float') {
    const order = (values: Uint8Array) => (type.bigEndian ? reversed(values, type.size) : values);
    if (type.size === 4) return { ...FLOAT32, convert: order };
    if (type.size === 2) {
      const spec: Spec = { dtype: 'float32', quantization: { dtype: 'float16' } };
      return { spec, bytes: 2, convert: order };
    }
    const note = 'Weights in float64 were rounded to float32, which is what TensorFlow.js has.';
    return { ...FLOAT32, note, convert: (values) => rounded(order(values), count) };
  }
  if (type.kind === 'integer') {
    return {
      spec: { dtype: 'int32' },
      bytes: 4,
      convert: (values) => integers(type.bigEndian ? reversed(values, type.size) : values, type, count, name),
    };
  }
  throw new UnsupportedFileError(`The weight '${name}' holds no numbers, but ${type.kind}.`);
}

const FLOAT32 = { spec: { dtype: 'float32' }, bytes: 4 } as const;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Elements of `size` bytes in the other order of bytes. */
export function reversed(values: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i - (i % size) + size - 1 - (i % size)]!;
  return result;
}

function widen(values: Uint8Array, count: number): Uint8Array {
  const result = new Uint8Array(count * 4);
  for (let i = 0; i < count; i++) {
    result[4 * i + 2] = values[2 * i]!;
    result[4 * i + 3] = values[2 * i + 1]!;
  }
  return result;
}

function rounded(values: Uint8Array, count: number): Uint8Array {
  const from = viewOf(values);
  const result = new Uint8Array(count * 4);
  const to = viewOf(result);
  for (let i = 0; i < count; i++) to.setFloat32(4 * i, from.getFloat64(8 * i, true), true);
  return result;
}

function integers(
  values: Uint8Array,
  { size, signed }: { size: number; signed: boolean },
  count: number,
  name: string,
): Uint8Array {
  const from = viewOf(values);
  const result = new Uint8Array(count * 4);
  const to = viewOf(result);
  const read = {
    1: (i: number) => (signed ? from.getInt8(i) : from.getUint8(i)),
    2: (i: number) => (signed ? from.getInt16(2 * i, true) : from.getUint16(2 * i, true)),
    4: (i: number) => (signed ? from.getInt32(4 * i, true) : from.getUint32(4 * i, true)),
    8: (i: number) => Number(signed ? from.getBigInt64(8 * i, true) : from.getBigUint64(8 * i, true)),
  }[size as 1 | 2 | 4 | 8];
  for (let i = 0; i < count; i++) {
    const value = read(i);
    if (value !== (value | 0)) {
      throw new MalformedFileError(`The weight '${name}' holds ${value}, which an int32 does not.`);
    }
    to.setInt32(4 * i, value, true);
  }
  return result;
}
