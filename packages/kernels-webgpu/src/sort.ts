// The blocks of x sorted by group, where ids tell: a counting sort on the device, so that each group of many finds its blocks
// without looking at those of the others.
import { KERNELS, type KernelView } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from './backend.ts';
import { dispatch } from './program.ts';
import { WORKGROUP } from './walk.ts';

// Looking through all ids costs few groups less than two more dispatches do.
const MANY_GROUPS = 16;
// Numbers of blocks are kept as float32.
const MOST_BLOCKS = 2 ** 24;

/** Whether a reduction is to be told its groups by sorted blocks. */
export function paysToSort({ byId, groups, blocks }: KernelView): boolean {
  return byId && groups > MANY_GROUPS && blocks <= MOST_BLOCKS;
}

/**
 * For each group where its blocks end among the sorted ones, then the numbers of these: float32 [groups + blocks]. In a
 * group they are in the order of memory, whatever the device. Blocks of no group are left out.
 */
export function sortedBlocks(backend: WebGPUBackend, view: KernelView, ids: TensorInfo): TensorInfo {
  const { groups, blocks } = view;
  const tiles = Math.ceil(blocks / WORKGROUP);
  const ranks = dispatch(backend, {
    name: `${KERNELS.moments}_ranks`,
    inputs: [{ name: 'ids', tensor: ids }],
    outputSize: 2 * blocks,
    workgroups: tiles,
    integers: { blocks },
    code: RANKS,
  });
  try {
    return dispatch(backend, {
      name: `${KERNELS.moments}_sort`,
      inputs: [
        { name: 'ids', tensor: ids },
        { name: 'ranks', tensor: ranks },
      ],
      outputSize: groups + blocks,
      workgroups: 1,
      integers: { blocks, groups, tiles },
      code: SORT,
    });
  } finally {
    backend.disposeData(ranks.dataId);
  }
}

/**
 * Within a tile of as many blocks as a workgroup has threads: how many of a block's group come before it; and for the last
 * one of a group, how many there are, else 0.
 */
const RANKS = `
var<workgroup> tile : array<i32, ${WORKGROUP}>;

fn main(index : i32) {
  let local = i32(localIndex);
  let workgroup = i32(workgroupId.x + numWorkgroups.x * (workgroupId.y + numWorkgroups.y * workgroupId.z));
  let start = workgroup * ${WORKGROUP};
  let block = start + local;
  if (block < uniforms.blocks) { tile[local] = ids[block]; }
  workgroupBarrier();
  if (block < uniforms.blocks) {
    var before = 0;
    var after = 0;
    let last = min(${WORKGROUP}, uniforms.blocks - start);
    for (var other = 0; other < last; other++) {
      if (tile[other] == tile[local]) {
        if (other < local) { before += 1; }
        if (other > local) { after += 1; }
      }
    }
    result[2 * block] = f32(before);
    result[2 * block + 1] = select(0.0, f32(before + 1), after == 0);
  }
}
`;

/** One workgroup takes tile by tile: in each, the last block of a group moves on where the group has come to. */
const SORT = `
var<workgroup> sums : array<f32, ${WORKGROUP}>;

fn groupAt(block : i32) -> i32 {
  if (block >= uniforms.blocks) { return -1; }
  let id = ids[block];
  return select(-1, id, id >= 0 && id < uniforms.groups);
}

fn main(index : i32) {
  let local = i32(localIndex);
  for (var group = local; group < uniforms.groups; group += ${WORKGROUP}) { result[group] = 0.0; }
  storageBarrier();
  workgroupBarrier();
  for (var tile = 0; tile < uniforms.tiles; tile++) {
    let block = tile * ${WORKGROUP} + local;
    let group = groupAt(block);
    if (group >= 0) {
      let size = ranks[2 * block + 1];
      if (size > 0.0) { result[group] = result[group] + size; }
    }
    storageBarrier();
    workgroupBarrier();
  }
  // Each thread takes a run of groups.
  let run = (uniforms.groups + ${WORKGROUP - 1}) / ${WORKGROUP};
  let first = local * run;
  let last = min(first + run, uniforms.groups);
  var sum = 0.0;
  for (var group = first; group < last; group++) { sum += result[group]; }
  sums[local] = sum;
  workgroupBarrier();
  var begin = 0.0;
  for (var other = 0; other < local; other++) { begin += sums[other]; }
  for (var group = first; group < last; group++) {
    let size = result[group];
    result[group] = begin;
    begin += size;
  }
  storageBarrier();
  workgroupBarrier();
  for (var tile = 0; tile < uniforms.tiles; tile++) {
    let block = tile * ${WORKGROUP} + local;
    let group = groupAt(block);
    var next = 0.0;
    if (group >= 0) {
      let begun = result[group];
      result[uniforms.groups + i32(begun + ranks[2 * block])] = f32(block);
      next = begun + ranks[2 * block + 1];
    }
    storageBarrier();
    workgroupBarrier();
    if (group >= 0 && ranks[2 * block + 1] > 0.0) { result[group] = next; }
    storageBarrier();
    workgroupBarrier();
  }
}
`;
