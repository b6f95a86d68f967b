// Which rows make up a group. A tensor is `blocks` blocks of `height` rows of `period` values. Without ids, block g is
// group g; with them (int32, one per block), a group is the blocks that bear its number, in order, and a block whose
// number is no group's belongs nowhere.
import { RUN, f32At } from './numbers';

/** The first block of the group from `from` on; `blocks` where there is none. */
export function blockOf(ids: usize, blocks: i32, from: i32, group: i32): i32 {
  if (!ids) return from <= group ? group : blocks;
  while (from < blocks && load<i32>(f32At(ids, from)) != group) from++;
  return from;
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

/** Writes 0 to a group's part of [2, groups, channels]. */
export function clearGroup(out: usize, groups: i32, group: i32, channels: i32): void {
  const bytes = (<usize>channels) << 2;
  memory.fill(f32At(out, group * channels), 0, bytes);
  memory.fill(f32At(out, (groups + group) * channels), 0, bytes);
}

// A walk over the rows of one group in chunks of wide rows, `repeat` rows each, as the loops of the reductions need
// them. What a chunk is made of differs: rows that lie together in a tall block; single rows from anywhere; or, where
// several make up a wide row, copies of rows from anywhere. A table says where its wide rows begin.

/** Wide rows in a block that are worth a chunk of their own. */
const TALL: i32 = 8;
/** Bytes of scratch for the two tables of a walk, of wide rows that lie together and of rows from anywhere. */
export const TABLES: i32 = RUN << 3;

let ids: usize, blocks: i32, height: i32, period: i32, repeat: i32, group: i32, ramp: usize, scattered: usize;
/** Where the next chunk begins, and the group's block after that one. */
let block: i32, row: i32, following: i32;
let chunkBlock: i32, chunkRow: i32, chunkRows: i32, together: bool;

/** tables: where they are to be. Returns whether the group has any rows. */
export function startWalk(
  idsOf: usize, blockCount: i32, rows: i32, width: i32, wide: i32, ofGroup: i32, tables: usize,
): bool {
  ids = idsOf;
  blocks = blockCount;
  height = rows;
  period = width;
  repeat = wide;
  group = ofGroup;
  ramp = tables;
  scattered = f32At(tables, RUN);
  for (let i = 0; i < RUN; i++) store<u32>(f32At(ramp, i), <u32>(i * period * repeat) << 2);
  row = 0;
  block = blockOf(ids, blocks, 0, group);
  following = blockOf(ids, blocks, block + 1, group);
  return block < blocks;
}

/** The next row, in bytes from the start of a tensor. */
export function nextRow(): usize {
  return bytesTo(block, row);
}

/** Moves on by at most `most` wide rows. Returns how many rows that is: at the end with a rest, or none. */
export function nextChunk(most: i32): i32 {
  if (block == blocks) return 0;
  chunkBlock = block;
  chunkRow = row;
  const left = height - row;
  const wanted = most * repeat;
  together = left >= min(wanted, TALL * repeat) || following >= blocks;
  if (together) {
    chunkRows = min(wanted, left);
    if (chunkRows > repeat) chunkRows -= chunkRows % repeat;
    skip(chunkRows);
    return chunkRows;
  }
  chunkRows = 0;
  while (chunkRows < wanted && block < blocks) {
    const n = min(wanted - chunkRows, height - row);
    if (repeat == 1) {
      for (let i = 0; i < n; i++) store<u32>(f32At(scattered, chunkRows + i), <u32>bytesTo(block, row + i));
    }
    skip(n);
    chunkRows += n;
  }
  return chunkRows;
}

function bytesTo(b: i32, r: i32): usize {
  return (<usize>((b * height + r) * period)) << 2;
}

function skip(n: i32): void {
  row += n;
  if (row < height) return;
  row = 0;
  block = following;
  following = blockOf(ids, blocks, block + 1, group);
}

/** Whether as many rows as the chunk has follow it in its block. */
export function continues(): bool {
  return together && chunkRow + 2 * chunkRows <= height;
}

/** Where the chunk's wide rows begin: bytes from what chunkOf returns, 4 bytes each. */
export function chunkTable(): usize {
  return together || repeat > 1 ? ramp : scattered;
}

/** The chunk's first row of x; the first one of its copies in the buffer; or x, for rows from anywhere. */
export function chunkOf(x: usize, buffer: usize): usize {
  if (together) return x + bytesTo(chunkBlock, chunkRow);
  if (repeat == 1) return x;
  let b = chunkBlock;
  let r = chunkRow;
  let to = buffer;
  for (let left = chunkRows; left > 0; ) {
    const n = min(left, height - r);
    const from = x + bytesTo(b, r);
    const bytes = (<usize>(n * period)) << 2;
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) v128.store(to + at, v128.load(from + at));
    for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
    to += bytes;
    left -= n;
    r = 0;
    if (left > 0) b = blockOf(ids, blocks, b + 1, group);
  }
  return buffer;
}
