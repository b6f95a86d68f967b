// What the first pass of a reduction leaves for the second: a record for each part, group and lane, [parts, groups,
// lanes], which the second merges to one for each group and channel.
import type { KernelView } from '@rebatch/core/kernels';
import { walkIntegers } from './program.ts';
import { powerOfTwo, type Walk, WORKGROUP } from './walk.ts';

/** How many records of a part and group are of one channel. */
export function recordsPerChannel({ lanes, repeat }: Walk, { inner }: KernelView): number {
  return lanes ? repeat * inner : 1;
}

/** Records of a part and group. */
export function lanesOf({ lanes, columns, vector }: Walk): number {
  return lanes ? columns * vector : columns;
}

/**
 * A walk over records: columns are channels, positions are the records of a channel in one group, or in `groups` of them.
 */
export function mergeWalk(walk: Walk, view: KernelView, groups = 1): Walk {
  const extent = groups * walk.parts * recordsPerChannel(walk, view);
  const tileThreads = Math.min(64, powerOfTwo(extent / 2));
  const tileColumns = Math.min(view.channels, WORKGROUP / tileThreads);
  return {
    ...{ lanes: true, vector: 1, repeat: 1, parts: 1 },
    ...{ columns: view.channels, extent, blockSpan: extent, span: extent },
    ...{ tileColumns, tileThreads, tiles: Math.ceil(view.channels / tileColumns) },
  };
}

/** The numbers that a program with `walkCode` of a merge and `recordCode` reads. `grid`: as for `walkIntegers`. */
export function mergeIntegers(
  merge: Walk,
  walk: Walk,
  view: KernelView,
  grid: number,
): Record<string, number> {
  return {
    ...walkIntegers(merge, { ...view, inner: 1 }, grid),
    perChannel: recordsPerChannel(walk, view),
    laneInner: walk.lanes ? view.inner : 1,
    lanes: lanesOf(walk),
  };
}

/** WGSL: `recordOf(channel, group, position)`, a place in the records. */
export const recordCode = `
fn recordOf(channel : i32, group : i32, position : i32) -> i32 {
  let part = position / uniforms.perChannel;
  let at = position - part * uniforms.perChannel;
  let row = at / uniforms.laneInner;
  let lane = (row * uniforms.channels + channel) * uniforms.laneInner + at - row * uniforms.laneInner;
  return (part * uniforms.groups + group) * uniforms.lanes + lane;
}
`;
