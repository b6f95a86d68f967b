// Numbers as the bytes of a dataset, in the type that it has: the other way of stored-weight.ts.

import { WeightsError } from '../errors.ts';
import type { Dataset } from '../h5/dataset.ts';
import type { Datatype } from '../h5/datatype.ts';
import { reversed } from './stored-weight.ts';

/** How to put a number into a type: into `view` at byte `at`, in little-endian order. False where the type has none like it. */
type Put = (view: DataView, at: number, value: number) => boolean;

/**
 * The bytes that a dataset has for these values. Floats are rounded to the nearest that there is, ties to even.
 *
 * @param name of the weight, for messages.
 * @throws {WeightsError} for a value that the type cannot hold: too large a number, or a fraction among whole numbers.
 */
export function bytesFor(name: string, { type }: Dataset, values: ArrayLike<number>): Uint8Array {
  const { size } = type;
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  const put = putter(type);
  for (let i = 0; i < values.length; i++) {
    if (put(view, i * size, values[i]!)) continue;
    throw new WeightsError(
      `The weight '${name}' is stored as ${called(type)}, which cannot hold ${values[i]}, value ${i} of it.`,
    );
  }
  return 'bigEndian' in type && type.bigEndian ? reversed(bytes, size) : bytes;
}

/**
 * What a type is called to which at least one of these values has to be rounded; undefined where it has all of them.
 *
 * @param values that {@link bytesFor} has taken.
 */
export function roundedTo({ type }: Dataset, values: ArrayLike<number>): string | undefined {
  const nearest = nearestIn(type);
  for (let i = 0; nearest !== undefined && i < values.length; i++) {
    if (!Object.is(nearest(values[i]!), values[i])) return called(type);
  }
  return undefined;
}

/** How numbers are rounded; undefined for a type that takes no others than it has. */
function nearestIn(type: Datatype): ((value: number) => number) | undefined {
  if (type.kind === 'boolean' || type.kind === 'integer') return undefined;
  if (type.kind !== 'float') return toBfloat16;
  return { 2: toFloat16, 4: Math.fround, 8: (value: number) => value }[type.size as 2 | 4 | 8];
}

function called(type: Datatype): string {
  if (type.kind === 'boolean') return 'booleans';
  if (type.kind === 'integer') return `${type.signed ? '' : 'u'}int${8 * type.size}`;
  return type.kind === 'float' ? `float${8 * type.size}` : 'bfloat16';
}

function putter(type: Datatype): Put {
  if (type.kind === 'boolean') return whole(0, 1, (view, at, value) => view.setUint8(at, value));
  if (type.kind === 'integer') return integer(type.size, type.signed);
  // What is opaque and was opened is bfloat16.
  if (type.kind !== 'float') return putBfloat16;
  return { 2: putFloat16, 4: putFloat32, 8: putFloat64 }[type.size as 2 | 4 | 8];
}

/** Whole numbers within both the type and an int32, which is what they are read as. */
function integer(size: number, signed: boolean): Put {
  const bits = Math.min(8 * size, 32);
  const [least, most] = signed
    ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
    : [0, Math.min(2 ** bits, 2 ** 31) - 1];
  return whole(least, most, (view, at, value) => {
    if (size === 8) view.setBigInt64(at, BigInt(value), true);
    else if (size === 4) view.setInt32(at, value, true);
    else if (size === 2) view.setInt16(at, value, true);
    else view.setInt8(at, value);
  });
}

function whole(least: number, most: number, set: (view: DataView, at: number, value: number) => void): Put {
  return (view, at, value) => {
    if (!Number.isInteger(value) || value < least || value > most) return false;
    set(view, at, value);
    return true;
  };
}

const putFloat64: Put = (view, at, value) => {
  view.setFloat64(at, value, true);
  return true;
};

const putFloat32: Put = (view, at, value) => {
  view.setFloat32(at, value, true);
  return Number.isFinite(Math.fround(value)) || !Number.isFinite(value);
};

/** The upper half of a float32. */
const putBfloat16: Put = (view, at, value) => {
  const nearest = toBfloat16(value);
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, nearest);
  view.setUint16(at, bits.getUint16(0), true);
  return Number.isFinite(Math.fround(nearest)) || !Number.isFinite(value);
};

const putFloat16: Put = (view, at, value) => {
  const nearest = Math.abs(toFloat16(value));
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  view.setUint16(at, sign | float16Bits(nearest), true);
  return nearest < 65_536 || !Number.isFinite(value);
};

/** Of a number from 0 on that a float16 has. */
function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  if (value >= 65_536) return 0x7c00;
  // Numbers below the smallest normal one are whole multiples of the smallest of all.
  if (value < 2 ** -14) return value * 2 ** 24;
  const exponent = exponentOf(value);
  return ((exponent + 15) << 10) + (value * 2 ** (10 - exponent) - 1024);
}

const toBfloat16 = (value: number) => rounded(value, 8, -126);

const toFloat16 = (value: number) => rounded(value, 11, -14);

/** The nearest number of so many binary digits, the last of which is at least that of 2 ** `least`; ties go to even. */
function rounded(value: number, digits: number, least: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const magnitude = Math.abs(value);
  const step = 2 ** (Math.max(exponentOf(magnitude), least) - digits + 1);
  const steps = magnitude / step;
  const below = Math.floor(steps);
  const up = steps - below > 0.5 || (steps - below === 0.5 && below % 2 === 1);
  return Math.sign(value) * (up ? below + 1 : below) * step;
}

/** The largest whole number whose power of 2 is not above a positive number. */
function exponentOf(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return Math.max(((view.getUint16(0) >>> 4) & 0x7ff) - 1023, -1023);
}
