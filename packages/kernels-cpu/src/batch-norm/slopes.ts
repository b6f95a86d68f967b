// The coefficients of the two kernels that write a tensor as large as x. Both are affine per group and channel, so these
// are made once, in float64.
import type { KernelView } from '@rebatch/core/kernels';

/** gamma or beta: one value per channel, or per group and channel. */
export type Vector = Float32Array | undefined;

/** gamma / sqrt(variance + epsilon) for each slot, a place in [groups, channels]. */
export function slopesOf(
  packed: Float32Array,
  gamma: Vector,
  { groups, channels }: KernelView,
  epsilon: number,
): Float64Array {
  const slots = groups * channels;
  const slopes = new Float64Array(slots);
  for (let slot = 0; slot < slots; slot++) {
    slopes[slot] = at(gamma, slot, 1) / Math.sqrt(packed[slots + slot]! + epsilon);
  }
  return slopes;
}

/** The value of gamma or beta for a slot; one of [channels] repeats for every group. */
export function at(vector: Vector, slot: number, otherwise: number): number {
  return vector === undefined ? otherwise : vector[slot % vector.length]!;
}
