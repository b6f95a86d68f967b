// Per-channel coefficients, and their copies per lane: where rows are taken `repeat` at a time (see moments.ts), lane
// l belongs to channel (l % (channels * inner)) / inner.
import { f32At, f64At, low } from './numbers';

/** 1 / sqrt(variance + epsilon) of one slot of [2, groups, channels], in float64. */
// @ts-ignore: decorator
@inline
export function inverseDeviation(moments: usize, slots: i32, slot: i32, epsilon: f64): f64 {
  return 1 / sqrt(<f64>load<f32>(f32At(moments, slots + slot)) + epsilon);
}

/** The same of that slot and the next one. */
// @ts-ignore: decorator
@inline
export function inverseDeviations(moments: usize, slots: i32, slot: i32, epsilon: f64): v128 {
  const variances = low(pairAt(moments, slots + slot));
  return f64x2.div(f64x2.splat(1), f64x2.sqrt(f64x2.add(variances, f64x2.splat(epsilon))));
}

/** Two float32 values, in the lower half of a vector. */
// @ts-ignore: decorator
@inline
export function pairAt(base: usize, index: i32): v128 {
  return v128.load64_zero(f32At(base, index));
}

/** Two values of an optional tensor, in float64. */
// @ts-ignore: decorator
@inline
export function optionalPair(tensor: usize, channel: i32, otherwise: f64): v128 {
  return tensor ? low(pairAt(tensor, channel)) : f64x2.splat(otherwise);
}

/** Writes two float64 values as float32. */
// @ts-ignore: decorator
@inline
export function storePair(base: usize, index: i32, values: v128): void {
  v128.store64_lane(f32At(base, index), f32x4.demote_f64x2_zero(values), 0);
}

/** Whether coefficients can be made two at a time: where channels lie side by side, and are even in number. */
export function arePairs(channels: i32, inner: i32): bool {
  return inner == 1 && !(channels & 1);
}

/** Writes to all lanes what is in the first `period` of them, an even number; in so many rows of lanes. */
export function repeatLanes(to: usize, period: i32, lanes: i32, rows: i32): void {
  for (let row = 0; row < rows; row++, to = f32At(to, lanes)) {
    for (let lane = period; lane < lanes; lane += 2) {
      store<u64>(f32At(to, lane), load<u64>(f32At(to, lane - period)));
    }
  }
}

/** The total of a channel's lanes, of which the first one is told. sums: float64, one per lane. */
export function totalOfLanes(sums: usize, first: i32, inner: i32, period: i32, lanes: i32): f64 {
  let total: f64 = 0;
  for (; first < lanes; first += period) {
    for (let i = 0; i < inner; i++) total += load<f64>(f64At(sums, first + i));
  }
  return total;
}

/** The same for the channels of two neighbouring lanes. */
export function totalOfPair(sums: usize, first: i32, period: i32, lanes: i32): v128 {
  let total = f64x2.splat(0);
  for (; first < lanes; first += period) total = f64x2.add(total, v128.load(f64At(sums, first)));
  return total;
}

/** The channel's value of an optional tensor. */
// @ts-ignore: decorator
@inline
export function optional(tensor: usize, channel: i32, otherwise: f32): f32 {
  return tensor ? load<f32>(f32At(tensor, channel)) : otherwise;
}

/** Writes a channel's coefficient to each of its lanes. */
// @ts-ignore: decorator
@inline
export function spread(to: usize, value: f32, channel: i32, inner: i32, period: i32, repeat: i32): void {
  for (let r = 0; r < repeat; r++) {
    const start = f32At(to, r * period + channel * inner);
    for (let i = 0; i < inner; i++) store<f32>(f32At(start, i), value);
  }
}

// Tables of such coefficients. Where blocks of a group lie anywhere, each group has a table of its own, made when it is
// first used, so that blocks are taken in the order of memory; else one after the other has the same place.

let marks: usize, tables: usize, tableSize: i32;

/** scratch: `floats` for one table; with ids that for each group, and a mark each. */
export function startTables(scratch: usize, ids: usize, groups: i32, floats: i32): void {
  marks = ids ? scratch : 0;
  tables = scratch;
  tableSize = 0;
  if (!ids) return;
  memory.fill(marks, 0, (<usize>groups) << 2);
  tables = f32At(scratch, groups);
  tableSize = floats;
}

/**
 * The number of groups whose tables are made before anything is looked up, and 0 where each is made when it is needed:
 * worth it if most groups have many blocks, which are one row of lanes each.
 */
export function madeBefore(ids: usize, groups: i32, blocks: i32, values: i32, lanes: i32): i32 {
  return ids && values == lanes && 4 * groups <= blocks ? groups : 0;
}

/** Where the table of a group is, or is to be. */
export function tableOf(group: i32): usize {
  return f32At(tables, group * tableSize);
}

/** Whether the group's table is still to be made; no longer when asked again. */
export function isNew(group: i32): bool {
  if (!marks) return true;
  const mark = f32At(marks, group);
  if (load<i32>(mark)) return false;
  store<i32>(mark, 1);
  return true;
}
