// Per-channel coefficients, and their copies per lane: where rows are taken `repeat` at a time (see moments.ts), lane
// l belongs to channel (l % (channels * inner)) / inner.
import { f32At } from './numbers';

/** 1 / sqrt(variance + epsilon) of one slot of [2, groups, channels], in float64. */
// @ts-ignore: decorator
@inline
export function inverseDeviation(moments: usize, slots: i32, slot: i32, epsilon: f64): f64 {
  return 1 / sqrt(<f64>load<f32>(f32At(moments, slots + slot)) + epsilon);
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
