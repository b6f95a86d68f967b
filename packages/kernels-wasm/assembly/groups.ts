// Which rows make up a group. A tensor is `blocks` blocks of `height` rows of `period` values. Without ids, block g is
// group g; with them (int32, one per block), a group is the blocks that bear its number, in order, and a block whose
// number is no group's belongs nowhere.
import { f32At } from './numbers';

/** The first block of the group from `from` on; `blocks` where there is none. */
export function blockOf(ids: usize, blocks: i32, from: i32, group: i32): i32 {
  if (!ids) return from <= group ? group : blocks;
  while (from < blocks && load<i32>(f32At(ids, from)) != group) from++;
  return from;
}

/** Rows in the group. */
export function rowsOf(ids: usize, blocks: i32, height: i32, group: i32): i32 {
  if (!ids) return height;
  let count = 0;
  for (let b = 0; b < blocks; b++) count += i32(load<i32>(f32At(ids, b)) == group);
  return count * height;
}

/** Writes NaN to every block of `size` values that belongs to no group. */
export function eraseStrays(out: usize, ids: usize, blocks: i32, groups: i32, size: i32): void {
  if (!ids) return;
  for (let b = 0; b < blocks; b++) {
    if (<u32>load<i32>(f32At(ids, b)) < <u32>groups) continue;
    const from = f32At(out, b * size);
    for (let i = 0; i < size; i++) store<f32>(f32At(from, i), NaN);
  }
}

/** Writes 0 to a group's part of [2, groups, channels]. */
export function clearGroup(out: usize, groups: i32, group: i32, channels: i32): void {
  const bytes = (<usize>channels) << 2;
  memory.fill(f32At(out, group * channels), 0, bytes);
  memory.fill(f32At(out, (groups + group) * channels), 0, bytes);
}

// A walk over the rows of one group in chunks that lie together in memory, as the loops of the reductions need them:
// rows of tall blocks are taken where they are; those of flat blocks, and what is left of tall ones, are copied together.

/** Rows of lanes in a block that are worth a chunk of their own. */
const TALL: i32 = 8;

let ids: usize, blocks: i32, height: i32, period: i32, group: i32;
/** Where the next chunk begins, and the group's block after that one. */
let block: i32, row: i32, following: i32;
let chunkBlock: i32, chunkRow: i32, chunkRows: i32, together: bool;

export function startWalk(idsOf: usize, blockCount: i32, rows: i32, width: i32, ofGroup: i32): void {
  ids = idsOf;
  blocks = blockCount;
  height = rows;
  period = width;
  group = ofGroup;
  row = 0;
  block = blockOf(ids, blocks, 0, group);
  following = blockOf(ids, blocks, block + 1, group);
}

/** Moves on by at most `most` rows, fewer than a multiple of `repeat` only at the end. Returns how many; 0 at the end. */
export function nextChunk(most: i32, repeat: i32): i32 {
  if (block == blocks) return 0;
  chunkBlock = block;
  chunkRow = row;
  const left = height - row;
  together = left >= min(most, TALL * repeat) || following >= blocks;
  chunkRows = min(most, left);
  if (together) {
    if (chunkRows > repeat) chunkRows -= chunkRows % repeat;
    skip(chunkRows);
    return chunkRows;
  }
  skip(chunkRows);
  while (chunkRows < most && block < blocks) {
    const n = min(most - chunkRows, height - row);
    skip(n);
    chunkRows += n;
  }
  return chunkRows;
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

/** The address of the chunk's rows of x, in x itself or copied to the buffer. */
export function chunkOf(x: usize, buffer: usize): usize {
  if (together) return f32At(x, (chunkBlock * height + chunkRow) * period);
  let b = chunkBlock;
  let r = chunkRow;
  let to = buffer;
  for (let left = chunkRows; left > 0; ) {
    const n = min(left, height - r);
    const from = f32At(x, (b * height + r) * period);
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
