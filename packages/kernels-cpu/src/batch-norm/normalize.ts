// Normalization in one read and one write: an affine map per group and channel.
import { floatsOf } from '../backend.ts';
import { batchNormKernel } from '../kernel.ts';
import { at, slopesOf, type Vector } from './slopes.ts';
import { type View, viewOf, walk } from './view.ts';

export const normalize = batchNormKernel('normalize', ({ backend, view, inputs, attributes, shape }) => {
  const y = normalized(
    floatsOf(backend, inputs.x),
    floatsOf(backend, inputs.moments),
    floatsOf(backend, inputs.gamma),
    floatsOf(backend, inputs.beta),
    viewOf(view, backend, inputs.ids),
    attributes.epsilon,
  );
  return backend.makeTensorInfo(shape, 'float32', y);
});

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta; NaN for values of no group. */
function normalized(
  x: Float32Array,
  packed: Float32Array,
  gamma: Vector,
  beta: Vector,
  view: View,
  epsilon: number,
): Float32Array {
  const { channels, groups, inner, ids, outer } = view;
  const slopes = slopesOf(packed, gamma, view, epsilon);
  // In float32 this would cancel where the mean is far larger than the deviation; float64 has the digits for it.
  const offsets = new Float64Array(slopes.length);
  for (let slot = 0; slot < slopes.length; slot++) {
    offsets[slot] = at(beta, slot, 0) - packed[slot]! * slopes[slot]!;
  }
  const y = new Float32Array(x.length);
  if (groups === 1 && inner === 1 && ids === undefined) {
    // Small tensors, for which a walk is dear, are mostly of this kind.
    mapRows(x, y, 0, outer, channels, 0, slopes, offsets);
    return y;
  }
  walk(view, {
    rows: (slot, start, count) => mapRows(x, y, start, count, channels, slot, slopes, offsets),
    run: (slot, start, length) => mapRun(x, y, start, start + length, slopes[slot]!, offsets[slot]!),
    stray: (start, length) => y.fill(Number.NaN, start, start + length),
  });
  return y;
}

function mapRows(
  x: Float32Array,
  y: Float32Array,
  start: number,
  count: number,
  channels: number,
  slot: number,
  slopes: Float64Array,
  offsets: Float64Array,
): void {
  for (let row = 0, i = start; row < count; row++, i += channels) {
    for (let c = 0; c < channels; c++) y[i + c] = x[i + c]! * slopes[slot + c]! + offsets[slot + c]!;
  }
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
