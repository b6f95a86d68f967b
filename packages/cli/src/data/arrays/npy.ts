// The header of an array of NumPy: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
import type { ByteSource } from '@rebatch/files/node/~internal';
import { DataError } from '../../errors.ts';
import { checkArray, type NumberType, type SampleArray } from './sample-array.ts';

const MAGIC = '\x93NUMPY';
const MAX_HEADER = 1 << 16;

/** By the letter and the size of NumPy's types. */
const READERS: Readonly<Record<string, (view: DataView, at: number, little: boolean) => number>> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  f2: (view, at, little) => halfToNumber(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/** @throws {DataError} unless it is an array of numbers in C order, as long as its header says. */
export async function readNpy(source: ByteSource): Promise<SampleArray> {
  const { name } = source;
  const head = await source.read(0, Math.min(12, source.size));
  const latin = (bytes: Uint8Array) => String.fromCharCode(...bytes);
  if (latin(head.subarray(0, 6)) !== MAGIC || head.length < 12) {
    throw new DataError(`${name} is no array of NumPy. Write one with numpy.save.`);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = head[6]!;
  const wide = version > 1;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = wide ? 12 : 10;
  if (version < 1 || version > 3 || length > MAX_HEADER || start + length > source.size) {
    throw new DataError(`${name}: its header is damaged (version ${version}, ${length} bytes).`);
  }
  const text = latin(await source.read(start, length));
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z])(\d+)'/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shapeText = /'shape':\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (!descr || order === undefined || shapeText === undefined) {
    throw new DataError(
      `${name}: expected an array of numbers, got one described as ${JSON.stringify(text.trim().slice(0, 120))}. Convert ` +
        "it: array.astype('float32').",
    );
  }
  const shape = shapeText
    .split(',')
    .map((part) => part.replace('L', '').trim())
    .filter((part) => part !== '')
    .map(Number);
  if (shape.length === 0 || !shape.every(Number.isSafeInteger)) {
    throw new DataError(
      `${name}: expected an array whose first axis counts samples, got shape (${shapeText}).`,
    );
  }
  if (order === 'True' && shape.length > 1) {
    throw new DataError(
      `${name} is in Fortran order, in which samples are scattered. Save numpy.ascontiguousarray(array).`,
    );
  }
  const [samples, ...rest] = shape as [number, ...number[]];
  return checkArray({
    name,
    samples,
    shape: rest,
    type: typeNamed(`${descr[2]}${descr[3]}`, descr[1] !== '>', name),
    offset: start + length,
    source,
  });
}

function typeNamed(code: string, little: boolean, name: string): NumberType {
  const read = Object.hasOwn(READERS, code) ? READERS[code] : undefined;
  if (read === undefined) {
    throw new DataError(
      `${name}: expected numbers of ${Object.keys(READERS).join(', ')}, got ${code}. Convert them: ` +
        "array.astype('float32').",
    );
  }
  return { bytes: Number(code.slice(1)), isByte: code === 'u1', read: (view, at) => read(view, at, little) };
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
