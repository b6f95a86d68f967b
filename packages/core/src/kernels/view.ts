// What a kernel's attributes and ids say of x, checked.
import { shown } from '@rebatch/stats/~internal';
import type { ChannelView } from '../channel-view.ts';
import { KernelInputError } from './errors.ts';
import { sizeOf } from './inputs.ts';

/** x as [outer, channels, inner], whose outer indices lie in blocks that are in one group each. */
export interface KernelView extends ChannelView {
  /** The groups themselves, or as many blocks as there are ids. */
  readonly blocks: number;
  /** Outer indices per block. */
  readonly rows: number;
  /** Whether ids tell the group of each block; else block g is group g. */
  readonly byId: boolean;
  /** How many values x holds. */
  readonly size: number;
}

/**
 * The view of x that a kernel is called with.
 *
 * @throws {KernelInputError} if the attributes are not whole numbers of at least 1, or the blocks do not divide outer.
 */
export function kernelView(
  view: ChannelView,
  ids: { readonly shape: readonly number[] } | undefined,
  kernelName: string,
): KernelView {
  const { outer, channels, inner, groups } = view;
  checkWhole('outer', outer, kernelName);
  checkWhole('channels', channels, kernelName);
  checkWhole('inner', inner, kernelName);
  checkWhole('groups', groups, kernelName);
  const byId = ids !== undefined;
  const blocks = byId ? sizeOf(ids.shape) : groups;
  if (blocks === 0 || outer % blocks !== 0) {
    const what = byId ? 'the number of ids' : 'groups';
    throw new KernelInputError(`${kernelName}: expected ${what} to divide outer (${outer}), got ${blocks}.`);
  }
  const size = outer * channels * inner;
  return { outer, channels, inner, groups, blocks, rows: outer / blocks, byId, size };
}

function checkWhole(name: string, value: number, kernelName: string): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new KernelInputError(
    `${kernelName}: expected ${name} to be a whole number of at least 1, got ${shown(value)}.`,
  );
}
