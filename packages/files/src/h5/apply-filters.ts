import { zlibSync } from 'fflate';
import { DEFLATE, type Filter, SHUFFLE } from './filters.ts';

/** A chunk as it is stored: the other way of `unfilter`. Bit i of `mask` says that filter i is left out. */
export function applyFilters(
  chunk: Uint8Array,
  filters: readonly Filter[],
  mask: number,
  elementSize: number,
): Uint8Array {
  return filters.reduce((bytes, { id }, i) => {
    if ((mask >>> i) & 1) return bytes;
    // The smallest that there is: then most chunks fit where the old ones were.
    if (id === DEFLATE) return zlibSync(bytes, { level: 9 });
    return id === SHUFFLE ? shuffle(bytes, elementSize) : withChecksum(bytes);
  }, chunk);
}

/** All first bytes of the elements, then all second ones, and so on; what is left over at the end stays there. */
function shuffle(bytes: Uint8Array, elementSize: number): Uint8Array {
  if (elementSize < 2) return bytes;
  const count = Math.floor(bytes.length / elementSize);
  const result = bytes.slice();
  for (let b = 0; b < elementSize; b++) {
    for (let i = 0; i < count; i++) result[b * count + i] = bytes[i * elementSize + b]!;
  }
  return result;
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length + 4);
  result.set(bytes);
  new DataView(result.buffer).setUint32(bytes.length, fletcher32(bytes), true);
  return result;
}

/**
 * Fletcher's checksum over 16-bit words with the first byte as the high one. HDF5 compares all 32 bits, and has 65,535
 * where a sum is a multiple of it: only data of nothing but zeros has sums of 0.
 */
export function fletcher32(bytes: Uint8Array): number {
  const fold = (sum: number) => (sum === 0 ? 0 : ((sum - 1) % 65_535) + 1);
  let low = 0;
  let high = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    low = fold(low + bytes[i]! * 256 + (bytes[i + 1] ?? 0));
    high = fold(high + low);
  }
  return ((high << 16) | low) >>> 0;
}
