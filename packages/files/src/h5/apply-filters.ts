import { zlibSync } from 'fflate';
import { DEFLATE, type Filter, SHUFFLE } from './filters.ts';
import { fletcher32 } from './fletcher32.ts';

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
