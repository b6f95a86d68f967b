// How the batch-norm kernels walk a tensor [outer, channels, inner] in groups of outer indices: lane by lane, or run
// by run.
import { KernelInputError } from './errors.ts';

/** Attributes that every batch-norm kernel takes. */
export interface ViewAttributes {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  readonly groups: number;
}

export interface View extends ViewAttributes {
  /** Runs of outer indices that are in one group as a whole: the groups themselves, or what has an id each. */
  readonly blocks: number;
  /** Outer indices per block. */
  readonly rows: number;
  /** How many outer indices are taken together as one row of lanes; 0 means run by run. */
  readonly repeat: number;
  /** Lanes of such a row: repeat * channels * inner, a multiple of 4. */
  readonly lanes: number;
  readonly size: number;
}

// A run pays for its setup; below this length it is cheaper to give every value of a row its own lane.
const SHORT_RUN = 32;
// Four vectors: what a pass over a block of rows keeps in registers.
const LANES = 16;

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
  const repeat = inner < SHORT_RUN ? repeatOf(channels * inner) : 0;
  return {
    outer,
    channels,
    inner,
    groups,
    blocks,
    rows: outer / blocks,
    repeat,
    lanes: repeat * channels * inner,
    size: outer * channels * inner,
  };
}

/** The fewest rows of `width` values that together are a multiple of 4 values and at least LANES of them. */
function repeatOf(width: number): number {
  const step = width % 4 === 0 ? 1 : width % 2 === 0 ? 2 : 4;
  return step * Math.ceil(LANES / (step * width));
}
