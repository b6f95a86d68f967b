// Calls of any shape of the ops that our kernels take over: more than the tables of ./ops hold.
import fc from 'fast-check';
import type { OpCase } from './op-case.ts';
import type { Geometry } from './ops/convolution.ts';
import { conv2dCase, depthwiseCase } from './ops/convolutions.ts';
import { segmentSumCase } from './ops/gathering.ts';
import { type PoolingOp, poolingCase } from './ops/pooling.ts';
import { KINDS, type ResizingOp, resizingCase } from './ops/resizing.ts';
import { conv3dCase } from './ops/volumes.ts';
import { type Axis, axisOf } from './ops/windows.ts';
import type { Range } from './values.ts';

const from1 = (max: number) => fc.integer({ min: 1, max });
const channels = fc.constantFrom(1, 2, 3, 4, 5, 8, 11);
const range = fc.constantFrom<Range>([-2, 2], [-3, -0.5]);
const triple = (max: number) => fc.tuple(from1(max), from1(max), from1(max));
const pad = fc.constantFrom('same' as const, 'valid' as const);

/** Of as many axes as asked for, with at least one output position. */
const geometries = (rank: 2 | 3, dilation: 1 | 3): fc.Arbitrary<Geometry> =>
  fc
    .record({
      size: triple(rank === 2 ? 9 : 6),
      window: triple(3),
      strides: triple(3),
      dilations: triple(dilation),
      pad,
    })
    .map(({ size, window, strides, dilations, pad }) => ({
      size: size.slice(0, rank),
      window: window.slice(0, rank),
      // TensorFlow.js wants one of the two to be 1.
      strides: dilations.some((n) => n > 1) ? [1, 1] : strides.slice(0, rank),
      dilations: dilations.slice(0, rank),
      pad,
    }))
    .filter(
      (geometry) => axesOf(geometry).every(({ out }) => out > 0) && (rank === 2 || isPaddable(geometry)),
    );

const axesOf = ({ size, window, strides, dilations, pad }: Geometry): Axis[] =>
  size.map((length, i) => axisOf(length, window[i]!, strides[i]!, dilations[i]!, pad));

/** Not where some axes of a volume need padding and others less than none: see FAULTS. */
function isPaddable(geometry: Geometry): boolean {
  const missing = axesOf(geometry).map(({ out, stride, window, size }) => (out - 1) * stride + window - size);
  return geometry.pad === 'valid' || missing.every((n) => n >= 0) || missing.every((n) => n <= 0);
}

const pool = (op: PoolingOp) =>
  fc.tuple(geometries(op.endsWith('3d') ? 3 : 2, 1), channels, range).map((all) => poolingCase(op, ...all));

const size = fc.tuple(from1(9), from1(9));
const resize = (op: ResizingOp) =>
  fc
    .tuple(size, size, fc.constantFrom(...KINDS), channels, range)
    .map(([from, to, kind, ...rest]) => resizingCase(op, { from, to, ...kind }, ...rest));

export const RANDOM_CALLS: Readonly<Record<string, fc.Arbitrary<OpCase>>> = {
  conv2d: fc.tuple(geometries(2, 1), channels, channels, range).map((all) => conv2dCase(...all)),
  'conv2d, dilated': fc.tuple(geometries(2, 3), channels, channels, range).map((all) => conv2dCase(...all)),
  depthwiseConv2d: fc.tuple(geometries(2, 1), channels, from1(3), range).map((all) => depthwiseCase(...all)),
  'depthwiseConv2d, dilated': fc
    .tuple(geometries(2, 3), channels, from1(3), range)
    .map((all) => depthwiseCase(...all)),
  conv3d: fc.tuple(geometries(3, 1), channels, channels).map((all) => conv3dCase(...all)),
  maxPool: pool('maxPool'),
  avgPool: pool('avgPool'),
  maxPool3d: pool('maxPool3d'),
  avgPool3d: pool('avgPool3d'),
  resizeNearestNeighbor: resize('resizeNearestNeighbor'),
  resizeBilinear: resize('resizeBilinear'),
  unsortedSegmentSum: fc
    .tuple(fc.array(from1(9), { minLength: 1, maxLength: 4 }), from1(12))
    .map((all) => segmentSumCase(...all)),
};
