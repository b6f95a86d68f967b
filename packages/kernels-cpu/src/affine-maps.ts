// The two kernels that write a tensor as large as x: normalization, and the gradient that reaches x. Both are affine
// maps per group and channel, whose coefficients are made once, in float64.
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
  const slots = view.groups * view.channels;
  const means = Float64Array.from(packed.subarray(0, slots));
  const scales = scalesOf(packed, gamma, slots, epsilon);
  const shifts = Float64Array.from(means, (_, slot) => at(beta, slot, 0));
  const y = new Float32Array(x.length);
  // Not x * scale + shift with the mean multiplied out: that cancels when the mean is far larger than the deviation.
  walk(view, {
    rows: (slot, start, count) => {
      for (let row = 0, i = start; row < count; row++, i += view.channels) {
        normalizeRow(x, y, i, view.channels, slot, means, scales, shifts);
      }
    },
    run: (slot, start, length) =>
      normalizeRun(x, y, start, start + length, means[slot]!, scales[slot]!, shifts[slot]!),
    stray: (start, length) => y.fill(Number.NaN, start, start + length),
  });
  return y;
}

function normalizeRow(
  x: Float32Array,
  y: Float32Array,
  start: number,
  channels: number,
  slot: number,
  means: Float64Array,
  scales: Float64Array,
  shifts: Float64Array,
): void {
  for (let c = 0; c < channels; c++) {
    const s = slot + c;
    y[start + c] = (x[start + c]! - means[s]!) * scales[s]! + shifts[s]!;
  }
}

function normalizeRun(
  x: Float32Array,
  y: Float32Array,
  start: number,
  end: number,
  mean: number,
  scale: number,
  shift: number,
): void {
  for (let i = start; i < end; i++) y[i] = (x[i]! - mean) * scale + shift;
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
  const means = Float64Array.from(packed.subarray(0, slots));
  const inverses = scalesOf(packed, undefined, slots, epsilon);
  const scales = scalesOf(packed, gamma, slots, epsilon);
  const shifts = inverses.map((inverse, slot) => inverse * pulls[slot]!);
  const slopes = inverses.map((inverse, slot) => inverse * inverse * pulls[slots + slot]!);
  const dx = new Float32Array(x.length);
  walk(view, {
    rows: (slot, start, count) => {
      for (let row = 0, i = start; row < count; row++, i += channels) {
        gradientRow(dy, x, dx, i, channels, slot, means, scales, shifts, slopes);
      }
    },
    run: (slot, start, length) =>
      gradientRun(
        ...([dy, x, dx, start, start + length] as const),
        ...([means[slot]!, scales[slot]!, shifts[slot]!, slopes[slot]!] as const),
      ),
    stray: (start, length) => dx.fill(Number.NaN, start, start + length),
  });
  return dx;
}

function gradientRow(
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  start: number,
  channels: number,
  slot: number,
  means: Float64Array,
  scales: Float64Array,
  shifts: Float64Array,
  slopes: Float64Array,
): void {
  for (let c = 0; c < channels; c++) {
    const s = slot + c;
    const i = start + c;
    dx[i] = dy[i]! * scales[s]! - shifts[s]! - (x[i]! - means[s]!) * slopes[s]!;
  }
}

function gradientRun(
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  start: number,
  end: number,
  mean: number,
  scale: number,
  shift: number,
  slope: number,
): void {
  for (let i = start; i < end; i++) dx[i] = dy[i]! * scale - shift - (x[i]! - mean) * slope;
}

/** gamma / sqrt(variance + epsilon) of each slot. */
function scalesOf(packed: Float32Array, gamma: Vector, slots: number, epsilon: number): Float64Array {
  return Float64Array.from(
    { length: slots },
    (_, slot) => at(gamma, slot, 1) / Math.sqrt(packed[slots + slot]! + epsilon),
  );
}

/** The value of a slot: those of a vector per channel repeat. */
function at(vector: Vector, slot: number, otherwise: number): number {
  return vector === undefined ? otherwise : vector[slot % vector.length]!;
}
