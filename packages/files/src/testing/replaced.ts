// Bytes put in the place of others by hand, for tests of what puts them there by reading the file.

import { expect } from 'vitest';
import type { OpenOptions } from '../index.ts';
import { openModel } from '../index.ts';

export const put = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The weights of a file as numbers, by name; float16 expanded. */
export async function expandedWeights(
  file: { readonly name: string; readonly bytes: Uint8Array },
  options: OpenOptions = {},
): Promise<Map<string, Float32Array>> {
  const { artifacts } = await openModel([file], options);
  const view = new DataView(artifacts.weightData as ArrayBuffer);
  let at = 0;
  return new Map(
    artifacts.weightSpecs!.map(({ name, shape, dtype, quantization }) => {
      const [size, read] = {
        float32: [4, (i: number) => view.getFloat32(i, true)] as const,
        int32: [4, (i: number) => view.getInt32(i, true)] as const,
        float16: [2, (i: number) => half(view.getUint16(i, true))] as const,
      }[(quantization?.dtype ?? dtype) as 'float32'];
      const start = at;
      const length = shape.reduce((a, b) => a * b, 1);
      at += length * size;
      return [name, Float32Array.from({ length }, (_, i) => read(start + i * size))];
    }),
  );
}

function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign / 0 : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/**
 * A file with other values in the place of those that it has exactly once; in a zip archive also the CRC of the weights,
 * which stands in two headers.
 */
export function substituted(
  bytes: Uint8Array,
  swaps: readonly (readonly [before: Float32Array, after: Float32Array])[],
): Uint8Array {
  const result = bytes.slice();
  for (const [before, after] of swaps) {
    const [at, ...more] = placesOf(bytes, raw(before));
    if (at === undefined || more.length > 0) throw new Error('These values are not there exactly once.');
    result.set(raw(after), at);
  }
  if (bytes[0] !== 0x50) return result;
  // The weights are the last entry, stored, and behind them the directory begins.
  const [, , start] = placesOf(bytes, put('PK\x03\x04'));
  const [directory] = placesOf(bytes, put('PK\x01\x02'));
  const first = start! + 30 + 'model.weights.h5'.length;
  const [old, fresh] = [bytes, result].map((all) => crc(all.subarray(first, directory)));
  const places = placesOf(bytes, word(old!));
  if (places.length !== 2) throw new Error('The CRC is not there twice.');
  for (const at of places) result.set(word(fresh!), at);
  return result;
}

const raw = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function placesOf(bytes: Uint8Array, part: Uint8Array): number[] {
  const places: number[] = [];
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = all.indexOf(part); at !== -1; at = all.indexOf(part, at + 1)) places.push(at);
  return places;
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Fails where two files differ, with where that is: comparing them as values takes seconds. */
export function expectSameBytes(found: Uint8Array, wanted: Uint8Array): void {
  const at = found.findIndex((byte, i) => byte !== wanted[i]);
  expect({ length: found.length, 'first difference': at }).toEqual({
    length: wanted.length,
    'first difference': -1,
  });
}

/** CRC-32 bit by bit. */
export function crc(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}
