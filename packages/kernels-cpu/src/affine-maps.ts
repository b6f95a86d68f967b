// The two kernels that write a tensor as large as x: normalization, and the gradient that reaches x. Both are affine
// per group and channel, so their coefficients are made once, in float64.
import { type View, walk } from './view.ts';

/** gamma or beta: one value per channel, or per group and channel, and where to find that of a slot. */
export type Vector = Float32Array | undefined;

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta; NaN for values of no group. */
export function normalized(
  x: Float32Array,
  packed: Float32Array,
  gamma: Vector,
  beta: Vector,
  view: View,
  epsilon: number,
): Float32Array {
  const { channels } = view;
  const slopes = slopesOf(packed, gamma, view, epsilon);
  // In float32 this would cancel where the mean is far larger than the deviation; float64 has the digits for it.
  const offsets = slopes.map((slope, slot) => at(beta, slot, 0) - packed[slot]! * slope);
  const y = new Float32Array(x.length);
  walk(view, {
    rows: (slot, start, count) => {
      for (let row = 0, i = start; row < count; row++, i += channels) {
        mapRow(x, y, i, channels, slot, slopes, offsets);
      }
    },
    run: (slot, start, length) => mapRun(x, y, start, start + length, slopes[slot]!, offsets[slot]!),
    stray: (start, length) => y.fill(Number.NaN, start, start + length),
  });
  return y;
}

function mapRow(
  x: Float32Array,
  y: Float32Array,
  start: number,
  channels: number,
  slot: number,
  slopes: Float64Array,
  offsets: Float64Array,
): void {
  for (let c = 0; c < channels; c++) y[start + c] = x[start + c]! * slopes[slot + c]! + offsets[slot + c]!;
}

function mapRun(
  x: Float32Array,
  y: Float32Array,
  start: number,
  end: number,
  slope: number,
  offset: number,
): void {
  for (let i = start; i < end; i++) y[i] = x[i]! * slope + offset;
}

/**
 * (gamma * dy - pulls[0] - xhat * pulls[1]) / sqrt(variance + epsilon); NaN for values of no group.
 *
 * @param pulls [2, groups, channels]
 */
export function inputGradient(
  dy: Float32Array,
  x: Float32Array,
  packed: Float32Array,
  pulls: Float32Array,
  gamma: Vector,
  view: View,
  epsilon: number,
): Float32Array {
  const { groups, channels } = view;
  const slots = groups * channels;
  const inverses = slopesOf(packed, undefined, view, epsilon);
  const ofDy = slopesOf(packed, gamma, view, epsilon);
  const ofX = inverses.map((inverse, slot) => -inverse * inverse * pulls[slots + slot]!);
  const offsets = inverses.map((inverse, slot) => -inverse * pulls[slot]! - packed[slot]! * ofX[slot]!);
  const dx = new Float32Array(x.length);
  walk(view, {
    rows: (slot, start, count) => {
      for (let row = 0, i = start; row < count; row++, i += channels) {
        combineRow(dy, x, dx, i, channels, slot, ofDy, ofX, offsets);
      }
    },
    run: (slot, start, length) =>
      combineRun(dy, x, dx, start, start + length, ofDy[slot]!, ofX[slot]!, offsets[slot]!),
    stray: (start, length) => dx.fill(Number.NaN, start, start + length),
  });
  return dx;
}

function combineRow(
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  start: number,
  channels: number,
  slot: number,
  ofDy: Float64Array,
  ofX: Float64Array,
  offsets: Float64Array,
): void {
  for (let c = 0; c < channels; c++) {
    const s = slot + c;
    const i = start + c;
    dx[i] = dy[i]! * ofDy[s]! + x[i]! * ofX[s]! + offsets[s]!;
  }
}

function combineRun(
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  start: number,
  end: number,
  ofDy: number,
  ofX: number,
  offset: number,
): void {
  for (let i = start; i < end; i++) dx[i] = dy[i]! * ofDy + x[i]! * ofX + offset;
}

/** gamma / sqrt(variance + epsilon) of each slot. */
function slopesOf(
  packed: Float32Array,
  gamma: Vector,
  { groups, channels }: View,
  epsilon: number,
): Float64Array {
  const slots = groups * channels;
  return Float64Array.from(
    { length: slots },
    (_, slot) => at(gamma, slot, 1) / Math.sqrt(packed[slots + slot]! + epsilon),
  );
}

/** The value of a slot: those of a vector per channel repeat. */
function at(vector: Vector, slot: number, otherwise: number): number {
  return vector === undefined ? otherwise : vector[slot % vector.length]!;
}
