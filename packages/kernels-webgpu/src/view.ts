// What a kernel's attributes say of x, checked.
import { KernelInputError } from './errors.ts';

/** Attributes that every batch-norm kernel takes: x is row-major [outer, channels, inner]. */
export interface ViewAttributes {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

export interface View extends ViewAttributes {
  /** Outer indices per block: those of a group, or those that share an id. */
  readonly rows: number;
  /** Whether ids tell the group of each block; else each block is a group. */
  readonly byId: boolean;
  readonly size: number;
}

/**
 * @param ids how many ids tell the groups of as many blocks; undefined where each group is one block.
 * @throws {KernelInputError} if the attributes are not whole numbers of at least 1, or the blocks do not divide outer.
 */
export function viewOf(attributes: object | undefined, ids: number | undefined, kernel: string): View {
  const { outer, channels, inner, groups } = (attributes ?? {}) as ViewAttributes;
  for (const [name, value] of Object.entries({ outer, channels, inner, groups })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new KernelInputError(
        `${kernel}: expected ${name} to be a whole number of at least 1, got ${value}.`,
      );
    }
  }
  const blocks = ids ?? groups;
  if (outer % blocks !== 0) {
    const what = ids === undefined ? 'groups' : 'the number of ids';
    throw new KernelInputError(`${kernel}: expected ${what} to divide outer (${outer}), got ${blocks}.`);
  }
  const size = outer * channels * inner;
  return { outer, channels, inner, groups, rows: outer / blocks, byId: ids !== undefined, size };
}
