// How the batch-norm kernels walk a tensor [outer, channels, inner] in groups of outer indices: as rows of channels
// where inner is 1, else as runs of values of one channel.
import { KernelInputError } from './errors.ts';

/** Attributes that every batch-norm kernel takes. */
export interface ViewAttributes {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

/** Neighbouring outer indices of one group; -1 is the group of those that are in none. */
export interface Stretch {
  readonly group: number;
  readonly start: number;
  readonly count: number;
}

export interface View extends ViewAttributes {
  readonly size: number;
  /** All of the tensor, in order. */
  readonly stretches: readonly Stretch[];
}

/**
 * @param ids the group of each of as many blocks; undefined where each group is one block.
 * @throws {KernelInputError} if the attributes are not whole numbers of at least 1, or the blocks do not divide outer.
 */
export function viewOf(attributes: ViewAttributes, ids: Int32Array | undefined, kernel: string): View {
  const { outer, channels, inner, groups } = attributes;
  for (const [name, value] of Object.entries({ outer, channels, inner, groups })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new KernelInputError(
        `${kernel}: expected ${name} to be a whole number of at least 1, got ${value}.`,
      );
    }
  }
  const blocks = ids?.length ?? groups;
  if (blocks === 0 || outer % blocks !== 0) {
    const what = ids === undefined ? 'groups' : 'the number of ids';
    throw new KernelInputError(`${kernel}: expected ${what} to divide outer (${outer}), got ${blocks}.`);
  }
  const stretches = stretchesOf(blocks, outer / blocks, groups, ids);
  return { outer, channels, inner, groups, size: outer * channels * inner, stretches };
}

function stretchesOf(
  blocks: number,
  rows: number,
  groups: number,
  ids: Int32Array | undefined,
): readonly Stretch[] {
  const groupOf = (block: number) => {
    const id = ids === undefined ? block : ids[block]!;
    return id >= 0 && id < groups ? id : -1;
  };
  const stretches: Stretch[] = [];
  for (let block = 0; block < blocks; ) {
    const group = groupOf(block);
    let end = block + 1;
    while (end < blocks && groupOf(end) === group) end++;
    stretches.push({ group, start: block * rows, count: (end - block) * rows });
    block = end;
  }
  return stretches;
}

/** What to do with a part of the tensor. `slot` is a place in [groups, channels], `at` one in the tensor. */
export interface Visitor {
  /** `count` rows of channels, whose first one has the given slot. */
  rows(slot: number, at: number, count: number): void;
  /** `length` values of one channel. */
  run(slot: number, at: number, length: number): void;
  /** `length` values of no group. */
  stray?(at: number, length: number): void;
}

/** Visits the whole tensor in order, in the largest parts that can be treated as one. */
export function walk({ channels, inner, stretches }: View, visitor: Visitor): void {
  for (const { group, start, count } of stretches) {
    const at = start * channels * inner;
    if (group < 0) visitor.stray?.(at, count * channels * inner);
    else if (channels === 1) visitor.run(group, at, count * inner);
    else if (inner === 1) visitor.rows(group * channels, at, count);
    else {
      for (let i = 0; i < count * channels; i++) {
        visitor.run(group * channels + (i % channels), at + i * inner, inner);
      }
    }
  }
}

/** Outer indices in each group. */
export function countsOf({ groups, stretches }: View): Float64Array {
  const counts = new Float64Array(groups);
  for (const { group, count } of stretches) if (group >= 0) counts[group]! += count;
  return counts;
}

// Rows at a time, so that a walk down four columns after the other finds them in the cache: about a page of memory.
const BLOCK_VALUES = 1024;

/** How many rows of `channels` values to take at a time. */
export function rowsPerBlock(channels: number): number {
  return Math.max(4, Math.floor(BLOCK_VALUES / channels));
}
