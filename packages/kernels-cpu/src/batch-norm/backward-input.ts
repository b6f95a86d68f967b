// The gradient that reaches x, in one read of dy and x and one write: an affine map of both per group and channel.
import { floatsOf } from '../backend.ts';
import { batchNormKernel } from '../kernel.ts';
import { slopesOf, type Vector } from './slopes.ts';
import { type View, viewOf, walk } from './view.ts';

export const backwardInput = batchNormKernel(
  'backwardInput',
  ({ backend, view, inputs, attributes, shape }) => {
    const dx = inputGradient(
      floatsOf(backend, inputs.dy),
      floatsOf(backend, inputs.x),
      floatsOf(backend, inputs.moments),
      floatsOf(backend, inputs.pulls),
      floatsOf(backend, inputs.gamma),
      viewOf(view, backend, inputs.ids),
      attributes.epsilon,
    );
    return backend.makeTensorInfo(shape, 'float32', dx);
  },
);

/**
 * (gamma * dy - pulls[0] - xhat * pulls[1]) / sqrt(variance + epsilon); NaN for values of no group.
 *
 * @param pulls [2, groups, channels]
 */
function inputGradient(
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
