// Groups that ids tell, on backends where the ids can be read at once: the blocks are sorted by group, and summed in rounds
// of short runs. The work is that of the blocks, however many groups there are.
import * as tf from '@tensorflow/tfjs-core';
import type { BlockGroups } from './composed-blocks.ts';
import { RUN } from './composed-sums.ts';

/** Call it in a tidy. */
export function groupsBySorting(ids: ArrayLike<number>, groups: number): BlockGroups {
  const groupOf = Int32Array.from(ids, (id) => (id >= 0 && id < groups ? id : -1));
  const sizes = new Int32Array(groups);
  for (const group of groupOf) if (group >= 0) sizes[group]!++;
  const rounds = roundsOf(groupOf, sizes);
  const sum = (rows: tf.Tensor2D) => rounds.reduce(sumRuns, rows);
  return {
    sizes: tf.tensor2d(Float32Array.from(sizes), [groups, 1]),
    sum,
    rowsFor: (perGroup) => rowsFor(groupOf, perGroup as tf.Tensor2D, sum),
  };
}

/** A round of sums: of which rows each run is made, -1 for none. */
interface Round {
  readonly width: number;
  /** [runs, width] */
  readonly rows: Int32Array;
}

/** As many rounds as it takes until each group is one row. */
function roundsOf(groupOf: Int32Array, sizes: Int32Array): Round[] {
  const rounds: Round[] = [];
  let rows = sorted(groupOf, sizes);
  let left = sizes;
  for (;;) {
    const most = left.reduce((a, b) => Math.max(a, b), 1);
    const width = Math.min(RUN, most);
    const isLast = most <= RUN;
    const runs = left.map((size) => (isLast ? 1 : Math.ceil(size / width)));
    rounds.push({ width, rows: inRuns(rows, left, runs, width) });
    if (isLast) return rounds;
    rows = Int32Array.from({ length: runs.reduce((a, b) => a + b) }, (_, i) => i);
    left = runs;
  }
}

/** The blocks of the first group, in order, then those of the second, and so on. */
function sorted(groupOf: Int32Array, sizes: Int32Array): Int32Array {
  let before = 0;
  const next = sizes.map((size) => {
    before += size;
    return before - size;
  });
  const blocks = new Int32Array(before);
  groupOf.forEach((group, block) => {
    if (group >= 0) blocks[next[group]!++] = block;
  });
  return blocks;
}

/** Each group's rows in runs of `width`, the last one of a group filled up with -1. */
function inRuns(rows: Int32Array, sizes: Int32Array, runs: Int32Array, width: number): Int32Array {
  const all = new Int32Array(width * runs.reduce((a, b) => a + b)).fill(-1);
  let [from, to] = [0, 0];
  sizes.forEach((size, group) => {
    all.set(rows.subarray(from, from + size), to);
    from += size;
    to += runs[group]! * width;
  });
  return all;
}

function sumRuns(values: tf.Tensor2D, { width, rows }: Round): tf.Tensor2D {
  const taken = pick(values, rows);
  return width === 1 ? taken : tf.sum(tf.reshape(taken, [-1, width, values.shape[1]]), 1);
}

/** Those rows, each of them at most once; zeros for -1. The gradient puts them back. */
function pick(values: tf.Tensor2D, rows: Int32Array): tf.Tensor2D {
  const count = values.shape[0];
  const op = tf.customGrad((given) => ({
    value: gatherOr(given as tf.Tensor2D, rows, 0),
    gradFunc: (dy: tf.Tensor) => pick(dy as tf.Tensor2D, inverseOf(rows, count)),
  }));
  return op(values) as tf.Tensor2D;
}

/** Where each of `count` rows has gone, -1 for nowhere. */
function inverseOf(rows: Int32Array, count: number): Int32Array {
  const places = new Int32Array(count).fill(-1);
  rows.forEach((row, place) => {
    if (row >= 0) places[row] = place;
  });
  return places;
}

/** The row of its group for each block. The gradient sums by group. */
function rowsFor(groupOf: Int32Array, perGroup: tf.Tensor2D, sum: BlockGroups['sum']): tf.Tensor {
  const op = tf.customGrad((given) => ({
    value: gatherOr(given as tf.Tensor2D, groupOf, Number.NaN),
    gradFunc: (dy: tf.Tensor) => sum(dy as tf.Tensor2D),
  }));
  return op(perGroup);
}

/** Rows by their numbers, and a row of `otherwise` for -1. */
function gatherOr(values: tf.Tensor2D, rows: Int32Array, otherwise: number): tf.Tensor2D {
  const [count, width] = values.shape;
  if (!rows.includes(-1)) return tf.gather(values, tf.tensor1d(rows, 'int32'));
  const padded = tf.concat([values, tf.fill([1, width], otherwise)]) as tf.Tensor2D;
  return tf.gather(
    padded,
    tf.tensor1d(
      rows.map((row) => (row < 0 ? count : row)),
      'int32',
    ),
  );
}
