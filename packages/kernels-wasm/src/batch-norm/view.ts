// How the batch-norm kernels walk a tensor [outer, channels, inner] in groups of outer indices: lane by lane, or run
// by run; and the scratch memory that takes.
import type { KernelView } from '@rebatch/core/kernels';

/** How to walk it. */
export interface Lanes {
  /** How many outer indices are taken together as one row of lanes; 0 means run by run. */
  readonly repeat: number;
  /** Lanes of such a row: repeat * channels * inner, a multiple of 4. */
  readonly lanes: number;
}

// A run pays for its setup; below this length it is cheaper to give every value of a row its own lane.
const SHORT_RUN = 32;
// Four vectors: what a pass over a block of rows keeps in registers.
const LANES = 16;

export function lanesOf({ channels, inner, byId, rows }: KernelView): Lanes {
  const width = channels * inner;
  // A map takes such rows one by one.
  const scattered = byId && rows === 1 && width % 4 === 0;
  const repeat = inner >= SHORT_RUN ? 0 : scattered ? 1 : repeatOf(width);
  return { repeat, lanes: repeat * channels * inner };
}

/**
 * Whether the sums of all groups are made in one walk over the rows: each row has a number of its own, and groups are so few
 * that their tables take no more than a few times the memory of x.
 */
export function sumsByRow({ byId, rows, inner, channels, blocks, groups }: KernelView): boolean {
  return byId && rows === 1 && inner === 1 && channels % 4 === 0 && 2 * groups <= blocks;
}

/** The fewest rows of `width` values that together are a multiple of 4 values and at least LANES of them. */
function repeatOf(width: number): number {
  const step = width % 4 === 0 ? 1 : width % 2 === 0 ? 2 : 4;
  return step * Math.ceil(LANES / (step * width));
}

/** Bytes of scratch for a reduction by lanes: sums, and room for copies of rows where they scatter. */
export function reductionScratch({ byId }: KernelView, { lanes }: Lanes, tensors: number): number {
  const copies = byId ? 128 * tensors : 0;
  return (32 + copies) * lanes;
}

/** The same for a map by lanes: tables of coefficients, and a mark for each that may be made later. */
export function mapScratch({ byId, groups }: KernelView, { lanes }: Lanes, coefficients: number): number {
  return byId ? 4 * (coefficients * lanes + 1) * groups : 4 * coefficients * lanes;
}
