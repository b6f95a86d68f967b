// Pooling of two and three spatial axes.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { type Expected, weightedSums } from '../reference.ts';
import { distinct, type Range, type Values } from '../values.ts';
import { type Axis, axisOf, forEachTap, type Padding, productOf } from './windows.ts';

export interface Pool {
  readonly size: readonly number[];
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly pad: Padding;
}

/** The pixels of the image that each window sees. */
function windowsOf(axes: readonly Axis[]): number[][] {
  const windows = Array.from({ length: productOf(axes, 'out') }, (): number[] => []);
  forEachTap(axes, (output, _, pixel) => windows[output]!.push(pixel));
  return windows;
}

/** As TensorFlow: padding is no part of a window, neither of its maximum nor of its average. */
function pooled(x: Values, pool: Pool, kind: 'max' | 'avg'): Expected {
  const axes = pool.size.map((length, i) => axisOf(length, pool.window[i]!, pool.strides[i]!, 1, pool.pad));
  const windows = windowsOf(axes);
  const [batch, channels, pixels] = [x.shape[0]!, x.shape.at(-1)!, productOf(axes, 'size')];
  return weightedSums([batch, ...axes.map(({ out }) => out), channels], 'x', x, (visit) => {
    for (let b = 0; b < batch; b++) {
      windows.forEach((window, output) => {
        for (let c = 0; c < channels; c++) {
          const to = (b * windows.length + output) * channels + c;
          const places = window.map((pixel) => (b * pixels + pixel) * channels + c);
          if (kind === 'avg') for (const from of places) visit(to, from, 1 / places.length);
          else
            visit(
              to,
              places.reduce((best, at) => (x.data[at]! > x.data[best]! ? at : best)),
              1,
            );
        }
      });
    }
  });
}

const PADS: readonly Padding[] = ['same', 'valid', 1];
const RANGES: readonly Range[] = [
  [-2, 2],
  [-3, -0.5],
];

const POOLS_2D: readonly Pool[] = PADS.flatMap((pad) => [
  { size: [6, 6], window: [2, 2], strides: [2, 2], pad },
  { size: [7, 5], window: [3, 3], strides: [2, 2], pad },
  { size: [5, 6], window: [3, 2], strides: [1, 1], pad },
  { size: [7, 7], window: [2, 3], strides: [3, 1], pad },
  { size: [6, 5], window: [2, 2], strides: [3, 3], pad },
])
  // TensorFlow.js takes the height of a window for its width, too, where the padding is a number.
  .filter(({ window, strides, pad }) => pad !== 1 || (window[0] === window[1] && strides[0] === strides[1]))
  .concat([{ size: [4, 5], window: [1, 1], strides: [2, 2], pad: 'valid' }]);

const POOLS_3D: readonly Pool[] = PADS.flatMap((pad) => [
  { size: [4, 4, 4], window: [2, 2, 2], strides: [2, 2, 2], pad },
  { size: [5, 3, 4], window: [3, 2, 2], strides: [1, 1, 1], pad },
  { size: [5, 5, 5], window: [2, 3, 2], strides: [2, 1, 2], pad },
  { size: [6, 5, 6], window: [2, 2, 2], strides: [3, 3, 3], pad },
  { size: [6, 4, 6], window: [2, 2, 2], strides: [3, 3, 3], pad },
]);

type Shape2 = [number, number];
type Shape3 = [number, number, number];

const OPS = {
  maxPool: (x: tf.Tensor, { window, strides, pad }: Pool) =>
    tf.maxPool(x as tf.Tensor4D, window as Shape2, strides as Shape2, pad),
  avgPool: (x: tf.Tensor, { window, strides, pad }: Pool) =>
    tf.avgPool(x as tf.Tensor4D, window as Shape2, strides as Shape2, pad),
  maxPool3d: (x: tf.Tensor, { window, strides, pad }: Pool) =>
    tf.maxPool3d(x as tf.Tensor5D, window as Shape3, strides as Shape3, pad),
  avgPool3d: (x: tf.Tensor, { window, strides, pad }: Pool) =>
    tf.avgPool3d(x as tf.Tensor5D, window as Shape3, strides as Shape3, pad),
};

export type PoolingOp = keyof typeof OPS;

export function poolingCase(op: PoolingOp, pool: Pool, channels: number, range: Range): OpCase {
  const x = distinct([3, ...pool.size, channels], ...range);
  return {
    op,
    how:
      `[${pool.size}] by [${pool.window}], strides ${pool.strides}, pad ${pool.pad}, ` +
      `${channels} channels, from ${range[0]}`,
    inputs: { x },
    run: ({ x }) => OPS[op](x!, pool),
    expected: () => pooled(x, pool, op.startsWith('max') ? 'max' : 'avg'),
  };
}

export const pooling: readonly OpCase[] = (Object.keys(OPS) as PoolingOp[]).flatMap((op) =>
  (op.endsWith('3d') ? POOLS_3D : POOLS_2D).flatMap((pool) =>
    [1, 3, 8].flatMap((channels) => RANGES.map((range) => poolingCase(op, pool, channels, range))),
  ),
);
