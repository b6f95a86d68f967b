import type { Cursor } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { RESAVE } from './messages.ts';

/** The type of one element: what Keras writes, which is numbers, booleans, text and (for bfloat16) opaque bytes. */
export type Datatype =
  | { readonly kind: 'integer'; readonly size: number; readonly signed: boolean; readonly bigEndian: boolean }
  | { readonly kind: 'float'; readonly size: number; readonly bigEndian: boolean }
  | { readonly kind: 'bfloat16'; readonly size: number; readonly bigEndian: boolean }
  | { readonly kind: 'boolean'; readonly size: number }
  | { readonly kind: 'text'; readonly size: number }
  | { readonly kind: 'variable text'; readonly size: number }
  | { readonly kind: 'opaque'; readonly size: number };

const CLASS = { integer: 0, float: 1, text: 3, opaque: 5, enumeration: 8, variable: 9 } as const;

/** Reads a datatype message (HDF5 File Format Specification, IV.A.2.d). `what` names it in messages. */
export function readDatatype(cursor: Cursor, what: string): Datatype {
  const type = cursor.u8() & 0x0f;
  const bits = cursor.u8();
  const moreBits = cursor.u16();
  const size = cursor.u32();
  const bigEndian = (bits & 1) === 1;
  switch (type) {
    case CLASS.integer:
      cursor.skip(4);
      if (![1, 2, 4, 8].includes(size))
        throw new MalformedFileError(`${what} has integers of ${size} bytes.`);
      return { kind: 'integer', size, signed: (bits & 8) !== 0, bigEndian };
    case CLASS.float: {
      cursor.skip(5);
      const exponent = cursor.u8();
      cursor.skip(6);
      if (size === 2 && exponent === 8) return { kind: 'bfloat16', size, bigEndian };
      if (![2, 4, 8].includes(size)) throw new MalformedFileError(`${what} has floats of ${size} bytes.`);
      return { kind: 'float', size, bigEndian };
    }
    case CLASS.text:
      return { kind: 'text', size };
    case CLASS.opaque:
      return { kind: 'opaque', size };
    case CLASS.enumeration: {
      const base = readDatatype(cursor, what);
      // NumPy's booleans are an enumeration of FALSE and TRUE in one byte.
      if (base.kind === 'integer' && size === 1) return { kind: 'boolean', size };
      throw new UnsupportedFileError(`${what} is an enumeration, which Keras never writes. ${RESAVE}`);
    }
    case CLASS.variable:
      // The rest describes the characters, which are bytes. For sequences of anything else there is no use here.
      if ((bits & 0x0f) === 1 && moreBits <= 0xff) return { kind: 'variable text', size };
      throw new UnsupportedFileError(`${what} has elements of different lengths. ${RESAVE}`);
    default:
      throw new UnsupportedFileError(
        `${what} has elements of type ${type}, which Keras never writes. ${RESAVE}`,
      );
  }
}

/** Reads a dataspace message (IV.A.2.b): the shape, `[]` for a scalar and undefined for no value at all. */
export function readDataspace(cursor: Cursor, what: string): number[] | undefined {
  const version = cursor.u8();
  const rank = cursor.u8();
  if (version !== 1 && version !== 2)
    throw new MalformedFileError(`${what} has a shape of version ${version}.`);
  if (rank > 32) throw new MalformedFileError(`${what} has ${rank} dimensions; HDF5 has at most 32.`);
  cursor.skip(1);
  if (version === 1) cursor.skip(5);
  else if (cursor.u8() === 2) return undefined;
  return Array.from({ length: rank }, () => cursor.u64());
}

/** How many elements a shape has. Infinity where no file could hold them. */
export function elementsOf(shape: readonly number[]): number {
  const product = shape.reduce((a, b) => a * b, 1);
  // Infinity times zero, of a shape that was never meant.
  return Number.isNaN(product) ? Number.POSITIVE_INFINITY : product;
}
