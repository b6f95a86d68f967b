// How the batch-norm kernels walk a tensor [outer, channels, inner] in groups of outer indices: as rows of channels
// where inner is 1, else as runs of values of one channel.
import type { KernelView } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type CpuBackend, integersOf } from '../backend.ts';

export interface View extends KernelView {
  /** The group of each block; undefined where each group is one block. */
  readonly ids: Int32Array | undefined;
}

/** A kernel's view, with its ids. */
export function viewOf(view: KernelView, backend: CpuBackend, ids: TensorInfo | undefined): View {
  return { ...view, ids: integersOf(backend, ids) };
}

/**
 * Visits all of the tensor in order, as stretches of neighbouring outer indices of one group; -1 is the group of those
 * that are in none. By calls and not as a list: there may be as many as blocks.
 */
export function eachStretch(
  { blocks, rows, groups, ids }: View,
  visit: (group: number, start: number, count: number) => void,
): void {
  for (let block = 0; block < blocks; ) {
    const id = ids === undefined ? block : ids[block]!;
    let end = block + 1;
    if (ids !== undefined) while (end < blocks && ids[end] === id) end++;
    visit(id >= 0 && id < groups ? id : -1, block * rows, (end - block) * rows);
    block = end;
  }
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
export function walk(view: View, visitor: Visitor): void {
  const { channels, inner } = view;
  eachStretch(view, (group, start, count) => {
    const at = start * channels * inner;
    if (group < 0) visitor.stray?.(at, count * channels * inner);
    else if (channels === 1) visitor.run(group, at, count * inner);
    else if (inner === 1) visitor.rows(group * channels, at, count);
    else {
      for (let i = 0; i < count * channels; i++) {
        visitor.run(group * channels + (i % channels), at + i * inner, inner);
      }
    }
  });
}

/** Outer indices in each group. */
export function countsOf(view: View): Float64Array {
  const counts = new Float64Array(view.groups);
  eachStretch(view, (group, _, count) => {
    if (group >= 0) counts[group]! += count;
  });
  return counts;
}

// Rows at a time, so that a walk down four columns after the other finds them in the cache: about a page of memory.
const BLOCK_VALUES = 1024;

/** How many rows of `channels` values to take at a time. */
export function rowsPerBlock(channels: number): number {
  return Math.max(4, Math.floor(BLOCK_VALUES / channels));
}
