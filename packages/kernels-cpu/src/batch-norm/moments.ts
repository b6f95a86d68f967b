// Mean and biased variance of every channel in one read of memory, with float64 sums of x - K and (x - K)^2, where K is
// the first value of the channel in the group. A mean far larger than the deviation does not cancel then; nor does
// (K - mean)^2, which is at most n times the variance because K is one of the values: float64 has digits to spare.
import { floatsOf } from '../backend.ts';
import { batchNormKernel } from '../kernel.ts';
import { countsOf, eachStretch, rowsPerBlock, type View, viewOf, walk } from './view.ts';

export const moments = batchNormKernel('moments', ({ backend, view, inputs, attributes, shape }) => {
  const x = floatsOf(backend, inputs.x);
  const packed = momentsOf(x, viewOf(view, backend, inputs.ids), attributes.rest);
  return backend.makeTensorInfo(shape, 'float32', packed);
});

/** [2, groups, channels]: means, then variances, then the rest of the means if asked for; 0 for an empty group. */
export function momentsOf(x: Float32Array, view: View, rest = false): Float32Array {
  const { groups, channels, inner } = view;
  const slots = groups * channels;
  const origins = originsOf(x, view);
  const sums = new Float64Array(slots);
  const squares = new Float64Array(slots);
  walk(view, {
    rows: (slot, at, count) => addRows(x, at, count, channels, slot, origins, sums, squares),
    run: (slot, at, length) => addRun(x, at, length, slot, origins, sums, squares),
  });
  const packed = new Float32Array((rest ? 3 : 2) * slots);
  const counts = countsOf(view);
  for (let slot = 0; slot < slots; slot++) {
    const count = counts[Math.floor(slot / channels)]! * inner;
    if (count === 0) continue;
    const shift = sums[slot]! / count;
    const mean = origins[slot]! + shift;
    packed[slot] = mean;
    if (rest) packed[2 * slots + slot] = mean - packed[slot]!;
    // Rounding may take it below 0, which a square root would not survive; NaN stays.
    packed[slots + slot] = Math.max(0, squares[slot]! / count - shift * shift);
  }
  return packed;
}

/** The first value of each channel in each group. */
function originsOf(x: Float32Array, view: View): Float64Array {
  const { groups, channels, inner } = view;
  const origins = new Float64Array(groups * channels);
  const seen = new Uint8Array(groups);
  eachStretch(view, (group, start) => {
    if (group < 0 || seen[group] === 1) return;
    seen[group] = 1;
    for (let c = 0; c < channels; c++) origins[group * channels + c] = x[(start * channels + c) * inner]!;
  });
  return origins;
}

/** Rows of channels, four columns at a time: their sums stay in registers. */
function addRows(
  x: Float32Array,
  at: number,
  count: number,
  channels: number,
  slot: number,
  origins: Float64Array,
  sums: Float64Array,
  squares: Float64Array,
): void {
  const block = rowsPerBlock(channels) * channels;
  const end = at + count * channels;
  const quads = channels - (channels % 4);
  for (let from = at; from < end; from += block) {
    const to = Math.min(end, from + block);
    for (let c = 0; c < quads; c += 4) {
      const s = slot + c;
      const k0 = origins[s]!;
      const k1 = origins[s + 1]!;
      const k2 = origins[s + 2]!;
      const k3 = origins[s + 3]!;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let q0 = 0;
      let q1 = 0;
      let q2 = 0;
      let q3 = 0;
      for (let i = from + c; i < to; i += channels) {
        const d0 = x[i]! - k0;
        const d1 = x[i + 1]! - k1;
        const d2 = x[i + 2]! - k2;
        const d3 = x[i + 3]! - k3;
        s0 += d0;
        s1 += d1;
        s2 += d2;
        s3 += d3;
        q0 += d0 * d0;
        q1 += d1 * d1;
        q2 += d2 * d2;
        q3 += d3 * d3;
      }
      sums[s]! += s0;
      sums[s + 1]! += s1;
      sums[s + 2]! += s2;
      sums[s + 3]! += s3;
      squares[s]! += q0;
      squares[s + 1]! += q1;
      squares[s + 2]! += q2;
      squares[s + 3]! += q3;
    }
    for (let c = quads; c < channels; c++) {
      const k = origins[slot + c]!;
      let sum = 0;
      let square = 0;
      for (let i = from + c; i < to; i += channels) {
        const d = x[i]! - k;
        sum += d;
        square += d * d;
      }
      sums[slot + c]! += sum;
      squares[slot + c]! += square;
    }
  }
}

/** A run of one channel, in four sums that do not wait for each other. */
function addRun(
  x: Float32Array,
  at: number,
  length: number,
  slot: number,
  origins: Float64Array,
  sums: Float64Array,
  squares: Float64Array,
): void {
  const k = origins[slot]!;
  const end = at + length;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let q0 = 0;
  let q1 = 0;
  let q2 = 0;
  let q3 = 0;
  let i = at;
  for (; i + 4 <= end; i += 4) {
    const d0 = x[i]! - k;
    const d1 = x[i + 1]! - k;
    const d2 = x[i + 2]! - k;
    const d3 = x[i + 3]! - k;
    s0 += d0;
    s1 += d1;
    s2 += d2;
    s3 += d3;
    q0 += d0 * d0;
    q1 += d1 * d1;
    q2 += d2 * d2;
    q3 += d3 * d3;
  }
  for (; i < end; i++) {
    const d = x[i]! - k;
    s0 += d;
    q0 += d * d;
  }
  sums[slot]! += s0 + s1 + (s2 + s3);
  squares[slot]! += q0 + q1 + (q2 + q3);
}
