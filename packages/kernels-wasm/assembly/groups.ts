// Which rows make up a group. A tensor is `blocks` blocks of `height` rows of `period` values. Without ids, block g is
// group g; with them (int32, one per block), a group is the blocks that bear its number, in order, and a block whose
// number is no group's belongs nowhere.
import { f32At } from './numbers';

/**
 * Sorts the blocks by group (a counting sort), so that those of each group are found without looking at the others.
 * sorted: 4 bytes per group and per block. bytes: of a block of x.
 */
export function sortBlocks(ids: usize, sorted: usize, blocks: i32, groups: i32, bytes: u32): void {
  memory.fill(sorted, 0, (<usize>groups) << 2);
  for (let block = 0; block < blocks; block++) {
    const g = groupOf(ids, block, groups);
    if (g >= 0) store<i32>(f32At(sorted, g), load<i32>(f32At(sorted, g)) + 1);
  }
  let before = 0;
  for (let g = 0; g < groups; g++) {
    const size = load<i32>(f32At(sorted, g));
    store<i32>(f32At(sorted, g), before);
    before += size;
  }
  const offsets = f32At(sorted, groups);
  for (let block = 0; block < blocks; block++) {
    const g = groupOf(ids, block, groups);
    if (g < 0) continue;
    const place = load<i32>(f32At(sorted, g));
    store<u32>(f32At(offsets, place), <u32>block * bytes);
    store<i32>(f32At(sorted, g), place + 1);
  }
}

/** The place of a group's first block among the sorted ones. sorted: of sortBlocks, or 0 where there are no ids. */
export function firstOf(sorted: usize, group: i32): i32 {
  if (!sorted) return group;
  return group == 0 ? 0 : load<i32>(f32At(sorted, group - 1));
}

/** The place after that of its last block: the same for an empty group. */
export function endOf(sorted: usize, group: i32): i32 {
  return sorted ? load<i32>(f32At(sorted, group)) : group + 1;
}

/** Where the block at a place begins, in bytes from the start of x. bytes: of a block. */
// @ts-ignore: decorator
@inline
export function offsetOf(sorted: usize, groups: i32, place: i32, bytes: u32): usize {
  return sorted ? load<u32>(f32At(sorted, groups + place)) : <u32>place * bytes;
}

/** The group of a block, -1 for none. */
export function groupOf(ids: usize, block: i32, groups: i32): i32 {
  if (!ids) return block;
  const id = load<i32>(f32At(ids, block));
  return <u32>id < <u32>groups ? id : -1;
}

/** Writes NaN to `size` values. */
export function erase(out: usize, size: i32): void {
  for (let i = 0; i < size; i++) store<f32>(f32At(out, i), NaN);
}

/** Writes 0 to a group's part of [rows, groups, channels]. */
export function clearGroup(out: usize, groups: i32, group: i32, channels: i32, rows: i32): void {
  for (let row = 0; row < rows; row++) {
    memory.fill(f32At(out, (row * groups + group) * channels), 0, (<usize>channels) << 2);
  }
}

// A walk over the rows of one group in chunks of wide rows, `repeat` rows each, which lie one after the other, as the loops
// of the reductions need them: rows that lie together in a tall block, or copies of rows from anywhere.

/** Wide rows in a block that are worth a chunk of their own. */
const TALL: i32 = 8;

let sorted: usize, groups: i32, height: i32, rowBytes: u32, repeat: i32;
/** Where the next chunk begins: a place among the sorted blocks, before `last`, and a row there. */
let place: i32, row: i32, last: i32;
let chunkPlace: i32, chunkRow: i32, chunkRows: i32, together: bool;

/** sorted: see firstOf. Returns whether the group has any rows. */
export function startWalk(
  sortedBlocks: usize, groupCount: i32, rows: i32, width: i32, wide: i32, group: i32,
): bool {
  sorted = sortedBlocks;
  groups = groupCount;
  height = rows;
  rowBytes = (<u32>width) << 2;
  repeat = wide;
  row = 0;
  place = firstOf(sorted, group);
  last = endOf(sorted, group);
  return place < last;
}

/** How many rows the group has that are still ahead. */
export function groupRows(): i32 {
  return (last - place) * height - row;
}

/** The next row, in bytes from the start of a tensor. */
export function nextRow(): usize {
  return bytesTo(place, row);
}

/** Moves on by at most `most` wide rows. Returns how many rows that is: at the end with a rest, or none. */
export function nextChunk(most: i32): i32 {
  if (place == last) return 0;
  chunkPlace = place;
  chunkRow = row;
  const left = height - row;
  const wanted = most * repeat;
  together = left >= min(wanted, TALL * repeat) || place + 1 == last;
  if (together) {
    chunkRows = min(wanted, left);
    if (chunkRows > repeat) chunkRows -= chunkRows % repeat;
    skip(chunkRows);
    return chunkRows;
  }
  chunkRows = 0;
  while (chunkRows < wanted && place < last) {
    const n = min(wanted - chunkRows, height - row);
    skip(n);
    chunkRows += n;
  }
  return chunkRows;
}

function bytesTo(place: i32, r: i32): usize {
  return offsetOf(sorted, groups, place, <u32>height * rowBytes) + <u32>r * rowBytes;
}

function skip(n: i32): void {
  row += n;
  if (row < height) return;
  row = 0;
  place++;
}

/** Whether as many rows as the chunk has follow it in its block. */
export function continues(): bool {
  return together && chunkRow + 2 * chunkRows <= height;
}

/** The chunk's first row of x, or the first one of its copies in the buffer. */
export function chunkOf(x: usize, buffer: usize): usize {
  if (together) return x + bytesTo(chunkPlace, chunkRow);
  let p = chunkPlace;
  let r = chunkRow;
  let to = buffer;
  for (let left = chunkRows; left > 0; p++) {
    const n = min(left, height - r);
    const from = x + bytesTo(p, r);
    const bytes = <usize>n * rowBytes;
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) v128.store(to + at, v128.load(from + at));
    for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
    to += bytes;
    left -= n;
    r = 0;
  }
  return buffer;
}
