// The two sums that the gradients of batch normalization need, in one read of dy and x, in float64.
import { floatsOf } from '../backend.ts';
import { batchNormKernel } from '../kernel.ts';
import { countsOf, rowsPerBlock, type View, viewOf, walk } from './view.ts';

export const backwardReduce = batchNormKernel(
  'backwardReduce',
  ({ backend, view, inputs, attributes, shape }) => {
    const sums = backwardSums(
      floatsOf(backend, inputs.dy),
      floatsOf(backend, inputs.x),
      floatsOf(backend, inputs.moments),
      viewOf(view, backend, inputs.ids),
      attributes.epsilon,
    );
    return backend.makeTensorInfo(shape, 'float32', sums);
  },
);

/**
 * [2, groups, channels]: the sum of dy, then that of dy times the normalized x; 0 for an empty group.
 *
 * @param packed [2, groups, channels]: means, then variances.
 */
function backwardSums(
  dy: Float32Array,
  x: Float32Array,
  packed: Float32Array,
  view: View,
  epsilon: number,
): Float32Array {
  const { groups, channels } = view;
  const slots = groups * channels;
  const means = Float64Array.from(packed.subarray(0, slots));
  const sums = new Float64Array(slots);
  const products = new Float64Array(slots);
  walk(view, {
    rows: (slot, at, count) => addRows(dy, x, at, count, channels, slot, means, sums, products),
    run: (slot, at, length) => addRun(dy, x, at, length, slot, means, sums, products),
  });
  const counts = countsOf(view);
  const out = new Float32Array(2 * slots);
  for (let slot = 0; slot < slots; slot++) {
    if (counts[Math.floor(slot / channels)] === 0) continue;
    out[slot] = sums[slot]!;
    out[slots + slot] = products[slot]! / Math.sqrt(packed[slots + slot]! + epsilon);
  }
  return out;
}

/** Rows of channels, four columns at a time: their sums stay in registers. */
function addRows(
  dy: Float32Array,
  x: Float32Array,
  at: number,
  count: number,
  channels: number,
  slot: number,
  means: Float64Array,
  sums: Float64Array,
  products: Float64Array,
): void {
  const block = rowsPerBlock(channels) * channels;
  const end = at + count * channels;
  const quads = channels - (channels % 4);
  for (let from = at; from < end; from += block) {
    const to = Math.min(end, from + block);
    for (let c = 0; c < quads; c += 4) {
      const s = slot + c;
      const m0 = means[s]!;
      const m1 = means[s + 1]!;
      const m2 = means[s + 2]!;
      const m3 = means[s + 3]!;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let p0 = 0;
      let p1 = 0;
      let p2 = 0;
      let p3 = 0;
      for (let i = from + c; i < to; i += channels) {
        const d0 = dy[i]!;
        const d1 = dy[i + 1]!;
        const d2 = dy[i + 2]!;
        const d3 = dy[i + 3]!;
        s0 += d0;
        s1 += d1;
        s2 += d2;
        s3 += d3;
        p0 += d0 * (x[i]! - m0);
        p1 += d1 * (x[i + 1]! - m1);
        p2 += d2 * (x[i + 2]! - m2);
        p3 += d3 * (x[i + 3]! - m3);
      }
      sums[s]! += s0;
      sums[s + 1]! += s1;
      sums[s + 2]! += s2;
      sums[s + 3]! += s3;
      products[s]! += p0;
      products[s + 1]! += p1;
      products[s + 2]! += p2;
      products[s + 3]! += p3;
    }
    for (let c = quads; c < channels; c++) {
      const mean = means[slot + c]!;
      let sum = 0;
      let product = 0;
      for (let i = from + c; i < to; i += channels) {
        const d = dy[i]!;
        sum += d;
        product += d * (x[i]! - mean);
      }
      sums[slot + c]! += sum;
      products[slot + c]! += product;
    }
  }
}

/** A run of one channel, in four sums that do not wait for each other. */
function addRun(
  dy: Float32Array,
  x: Float32Array,
  at: number,
  length: number,
  slot: number,
  means: Float64Array,
  sums: Float64Array,
  products: Float64Array,
): void {
  const mean = means[slot]!;
  const end = at + length;
  let s0 = 0;
  let s1 = 0;
  let p0 = 0;
  let p1 = 0;
  let i = at;
  for (; i + 2 <= end; i += 2) {
    const d0 = dy[i]!;
    const d1 = dy[i + 1]!;
    s0 += d0;
    s1 += d1;
    p0 += d0 * (x[i]! - mean);
    p1 += d1 * (x[i + 1]! - mean);
  }
  if (i < end) {
    const d = dy[i]!;
    s0 += d;
    p0 += d * (x[i]! - mean);
  }
  sums[slot]! += s0 + s1;
  products[slot]! += p0 + p1;
}
