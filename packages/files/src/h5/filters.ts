import { unzlibSync } from 'fflate';
import { Cursor } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { fletcher32 } from './fletcher32.ts';

/** One step that a chunk went through when it was written. */
export interface Filter {
  readonly id: number;
}

export const DEFLATE = 1;
export const SHUFFLE = 2;
export const FLETCHER32 = 3;
const NAMES: Readonly<Record<number, string>> = { 4: 'szip', 5: 'nbit', 6: 'scaleoffset', 32000: 'lzf' };

/** The filters of a dataset, in the order of writing (HDF5 File Format Specification, IV.A.2.l). */
export function readFilters(bytes: Uint8Array, what: string): Filter[] {
  const cursor = new Cursor(bytes, `The filters of ${what}`);
  const version = cursor.u8();
  const count = cursor.u8();
  if (version !== 1 && version !== 2)
    throw new MalformedFileError(`The filters of ${what} are of version ${version}.`);
  if (version === 1) cursor.skip(6);
  return Array.from({ length: count }, () => {
    const id = cursor.u16();
    const nameLength = version === 1 || id >= 256 ? cursor.u16() : 0;
    cursor.skip(2);
    const values = cursor.u16();
    cursor.skip(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    cursor.skip(Math.min(cursor.left, 4 * (version === 1 ? values + (values % 2) : values)));
    if (id < 1 || id > FLETCHER32) {
      throw new UnsupportedFileError(
        `${what} is compressed with ${NAMES[id] ?? `filter ${id}`}, which needs a plugin. Save it again with gzip or without compression.`,
      );
    }
    return { id };
  });
}

/**
 * A chunk as it was before the filters, `size` bytes. Bit i of `mask` says that filter i was left out for it.
 * Throws `MalformedFileError` when it does not come out whole.
 */
export function unfilter(
  chunk: Uint8Array,
  filters: readonly Filter[],
  mask: number,
  size: number,
  elementSize: number,
  what: string,
): Uint8Array {
  let bytes = chunk;
  for (let i = filters.length - 1; i >= 0; i--) {
    if ((mask >>> i) & 1) continue;
    const { id } = filters[i]!;
    if (id === DEFLATE) bytes = inflate(bytes, size + 4, what);
    else if (id === SHUFFLE) bytes = unshuffle(bytes, elementSize);
    else if (id === FLETCHER32) bytes = checked(bytes, what);
  }
  if (bytes.length === size) return bytes;
  throw new MalformedFileError(`A chunk of ${what} has ${bytes.length} bytes instead of ${size}.`);
}

/** At most `most` bytes: a buffer of that size keeps a small chunk from unpacking to any amount. */
function inflate(bytes: Uint8Array, most: number, what: string): Uint8Array {
  try {
    return unzlibSync(bytes, { out: new Uint8Array(most) });
  } catch (error) {
    throw new MalformedFileError(`A chunk of ${what} does not unpack: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** The shuffle filter stores all first bytes of the elements, then all second ones, and so on. */
function unshuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  if (elementSize < 2) return bytes;
  const count = Math.floor(bytes.length / elementSize);
  const result = bytes.slice();
  for (let b = 0; b < elementSize; b++) {
    for (let i = 0; i < count; i++) result[i * elementSize + b] = bytes[b * count + i]!;
  }
  return result;
}

/** Checks and takes off the checksum behind the data. */
function checked(bytes: Uint8Array, what: string): Uint8Array {
  const end = bytes.length - 4;
  if (end < 0) throw new MalformedFileError(`A chunk of ${what} is shorter than its checksum.`);
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true);
  const sums = fletcher32(bytes.subarray(0, end));
  // Other writers have 0 where a sum is a multiple.
  const equal = (a: number, b: number) => a % 65_535 === b % 65_535;
  if (equal(stored >>> 16, sums >>> 16) && equal(stored & 0xffff, sums & 0xffff))
    return bytes.subarray(0, end);
  throw new MalformedFileError(`A chunk of ${what} does not match its checksum.`);
}
