// Float64 values as text that survives the round trip bit for bit: base64 of little-endian float64.
import { shown } from './options/shown.ts';

/** Characters that are put together at a time: as many arguments as a call takes for certain. */
const PIECE = 4096;

/** 8 bytes per value; independent of the platform, and about half the size of decimals. */
export function float64ToBase64(values: Float64Array): string {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat64(i * 8, values[i]!, true);
  let binary = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    // Not spread into arguments, which takes seven times as long.
    binary += String.fromCharCode.apply(undefined, bytes.subarray(at, at + PIECE) as unknown as number[]);
  }
  return btoa(binary);
}

/** @param fail throws; it is told what is wrong, as the end of a sentence about the field. */
export function float64FromBase64(value: unknown, fail: (flaw: string) => never): Float64Array {
  // `atob` forgives whitespace and missing padding; a writer of ours produces neither.
  if (typeof value !== 'string' || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    return fail(`must be base64 text, got ${shown(value)}.`);
  }
  const binary = atob(value);
  if (binary.length % 8 !== 0) {
    return fail(
      `holds ${binary.length} bytes, not a whole number of float64s (8 bytes each). It was cut short or changed.`,
    );
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  const values = new Float64Array(bytes.length / 8);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(i * 8, true);
  return values;
}
