// The sums of many small groups whose rows lie anywhere, in one walk over the rows in the order of memory: each value goes to
// the float64 sums of its group and lane, of which there is a table. No sort, and no row that is read for itself.
import { clearGroup } from './groups';
import { inverseDeviations, pairAt, storePair } from './lanes';
import { finishPair } from './moments';
import { addTo64, f32At, high, low } from './numbers';

// For each four lanes of a group: what is subtracted, 16 bytes; two float64 sums of them, 32 bytes each.
const FIRST: usize = 16;
const SECOND: usize = 48;
const FOUR_LANES: usize = 80;

/**
 * As momentsLanes, for blocks of one row with channels side by side, a multiple of 4. The first row of a group is what is
 * subtracted from all. scratch: 4 + 20 * channels bytes per group.
 */
export function momentsRows(
  x: usize, ids: usize, out: usize, scratch: usize, groups: i32, blocks: i32, channels: i32, rest: i32,
): void {
  const rowBytes = (<usize>channels) << 2;
  const stride = 5 * rowBytes;
  const tables = scratch;
  const counts = tables + <usize>groups * stride;
  memory.fill(tables, 0, <usize>groups * (stride + 4));
  for (const end = ids + ((<usize>blocks) << 2); ids < end; ids += 4, x += rowBytes) {
    const id = load<u32>(ids);
    if (id >= <u32>groups) continue;
    const count = load<i32>(f32At(counts, id));
    store<i32>(f32At(counts, id), count + 1);
    let table = tables + <usize>id * stride;
    if (count == 0) {
      for (let at: usize = 0; at < rowBytes; at += 16, table += FOUR_LANES) v128.store(table, v128.load(x + at));
      continue;
    }
    for (let at: usize = 0; at < rowBytes; at += 16, table += FOUR_LANES) {
      const value = v128.load(x + at), k = v128.load(table);
      const d0 = f64x2.sub(low(value), low(k)), d1 = f64x2.sub(high(value), high(k));
      const sums = table + FIRST, squares = table + SECOND;
      v128.store(sums, f64x2.add(v128.load(sums), d0));
      v128.store(sums, f64x2.add(v128.load(sums, 16), d1), 16);
      v128.store(squares, f64x2.add(v128.load(squares), f64x2.mul(d0, d0)));
      v128.store(squares, f64x2.add(v128.load(squares, 16), f64x2.mul(d1, d1)), 16);
    }
  }
  const slots = groups * channels;
  for (let g = 0; g < groups; g++) {
    const count = load<i32>(f32At(counts, g));
    if (count == 0) {
      clearGroup(out, groups, g, channels, 2 + rest);
      continue;
    }
    for (let c = 0; c < channels; c += 2) {
      const slot = g * channels + c;
      const sums = sumsOf(tables, slot);
      const k = pairAt(tables + <usize>(slot >> 2) * FOUR_LANES, c & 2);
      finishPair(out, slots, slot, k, v128.load(sums), v128.load(sums, 32), count, rest);
    }
  }
}

/** As backwardReduceLanes, in the case of momentsRows. scratch: 20 * channels bytes per group. */
export function backwardReduceRows(
  dy: usize, x: usize, ids: usize, moments: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, channels: i32, epsilon: f64,
): void {
  const rowBytes = (<usize>channels) << 2;
  const stride = 5 * rowBytes;
  const slots = groups * channels;
  memory.fill(scratch, 0, <usize>groups * stride);
  for (let slot = 0; slot < slots; slot += 4) v128.store(scratch + <usize>slot * 20, v128.load(f32At(moments, slot)));
  for (const end = ids + ((<usize>blocks) << 2); ids < end; ids += 4, x += rowBytes, dy += rowBytes) {
    const id = load<u32>(ids);
    if (id >= <u32>groups) continue;
    let table = scratch + <usize>id * stride;
    for (let at: usize = 0; at < rowBytes; at += 16, table += FOUR_LANES) {
      const upstream = v128.load(dy + at);
      addTo64(table + FIRST, upstream);
      addTo64(table + SECOND, f32x4.mul(upstream, f32x4.sub(v128.load(x + at), v128.load(table))));
    }
  }
  for (let slot = 0; slot < slots; slot += 2) {
    const sums = sumsOf(scratch, slot);
    storePair(out, slot, v128.load(sums));
    storePair(out, slots + slot, f64x2.mul(v128.load(sums, 32), inverseDeviations(moments, slots, slot, epsilon)));
  }
}

/** Where the first sums of a slot and the next one are; the second sums lie 32 bytes on. */
// @ts-ignore: decorator
@inline
function sumsOf(tables: usize, slot: i32): usize {
  return tables + <usize>(slot >> 2) * FOUR_LANES + (<usize>(slot & 2) << 3) + FIRST;
}
