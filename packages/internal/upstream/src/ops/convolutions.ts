// Convolutions of one and two spatial axes.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { distinct, type Range } from '../values.ts';
import {
  axesOf,
  convolution,
  depthwiseConvolution,
  describe,
  type Geometry,
  named,
  transposed,
} from './convolution.ts';
import type { Padding } from './windows.ts';

type Shape2 = [number, number];
type Shape4 = [number, number, number, number];
const RANGES: readonly Range[] = [
  [-2, 2],
  [-3, -0.5],
];
const PADS: readonly Padding[] = ['same', 'valid', 1];

/** Strides and dilations: one of the two is 1, which TensorFlow.js demands. */
const STEPS_2D = [
  { strides: [1, 1], dilations: [1, 1] },
  { strides: [2, 2], dilations: [1, 1] },
  { strides: [2, 1], dilations: [1, 1] },
  { strides: [3, 3], dilations: [1, 1] },
  { strides: [1, 1], dilations: [2, 2] },
  { strides: [1, 1], dilations: [1, 2] },
] as const;

/** TensorFlow.js takes the height of a window for its width, too, where the padding is a number. */
const isSquare = (window: readonly number[], { strides, dilations }: (typeof STEPS_2D)[number]) =>
  window[0] === 3 && window[1] === 3 && strides[0] === strides[1] && dilations[0] === dilations[1];

const GEOMETRIES_2D: readonly Geometry[] = [
  { size: [7, 6], window: [3, 2] },
  { size: [5, 5], window: [1, 1] },
  { size: [6, 7], window: [2, 3] },
  { size: [6, 5], window: [3, 3] },
].flatMap((image) =>
  STEPS_2D.flatMap((steps) =>
    PADS.filter((pad) => pad !== 1 || isSquare(image.window, steps)).map((pad) => ({
      ...image,
      ...steps,
      pad,
    })),
  ),
);
const CHANNELS = [
  [1, 1],
  [3, 5],
  [4, 8],
] as const;

export function conv2dCase(geometry: Geometry, channels: number, outputs: number, range: Range): OpCase {
  const x = distinct([3, ...geometry.size, channels], ...range, 1);
  const filter = distinct([...geometry.window, channels, outputs], -2, 2, 2);
  const { strides, pad, dilations } = geometry;
  return {
    op: named('conv2d', geometry),
    how: `${describe(geometry)}, ${channels} to ${outputs} channels, from ${range[0]}`,
    inputs: { x, filter },
    run: ({ x, filter }) =>
      tf.conv2d(
        ...([x as tf.Tensor4D, filter as tf.Tensor4D, strides as Shape2, pad] as const),
        ...(['NHWC', dilations as Shape2] as const),
      ),
    expected: () => convolution(x, filter, geometry),
  };
}

export function depthwiseCase(
  geometry: Geometry,
  channels: number,
  multiplier: number,
  range: Range,
): OpCase {
  const x = distinct([3, ...geometry.size, channels], ...range, 1);
  const filter = distinct([...geometry.window, channels, multiplier], -2, 2, 2);
  const { strides, pad, dilations } = geometry;
  return {
    op: named('depthwiseConv2d', geometry),
    how: `${describe(geometry)}, ${channels} channels times ${multiplier}, from ${range[0]}`,
    inputs: { x, filter },
    run: ({ x, filter }) =>
      tf.depthwiseConv2d(
        ...([x as tf.Tensor4D, filter as tf.Tensor4D, strides as Shape2, pad] as const),
        ...(['NHWC', dilations as Shape2] as const),
      ),
    expected: () => depthwiseConvolution(x, filter, geometry),
  };
}

const conv2d = GEOMETRIES_2D.flatMap((geometry, i) =>
  CHANNELS.map(([channels, outputs]) => conv2dCase(geometry, channels, outputs, RANGES[i % 2]!)),
);

const MULTIPLIERS = [
  [1, 2],
  [3, 1],
  [4, 2],
] as const;

const depthwise = GEOMETRIES_2D.flatMap((geometry, i) =>
  MULTIPLIERS.map(([channels, multiplier]) => depthwiseCase(geometry, channels, multiplier, RANGES[i % 2]!)),
);

const conv1d = (['same', 'valid'] as const).flatMap((pad) =>
  [
    { strides: [1], dilations: [1] },
    { strides: [2], dilations: [1] },
    { strides: [1], dilations: [3] },
  ].map((steps): OpCase => {
    const geometry = { size: [11], window: [3], pad, ...steps };
    const x = distinct([3, 11, 4], -2, 2, 1);
    const filter = distinct([3, 4, 5], -2, 2, 2);
    return {
      op: named('conv1d', steps),
      how: describe(geometry),
      inputs: { x, filter },
      run: ({ x, filter }) =>
        tf.conv1d(
          ...([x as tf.Tensor3D, filter as tf.Tensor3D, steps.strides[0]!, pad] as const),
          ...(['NWC', steps.dilations[0]!] as const),
        ),
      expected: () => convolution(x, filter, geometry),
    };
  }),
);

const conv2dTranspose = GEOMETRIES_2D.filter(
  ({ dilations, pad }) => dilations.every((n) => n === 1) && pad !== 1,
).flatMap((geometry) =>
  CHANNELS.map(([channels, outputs]): OpCase => {
    const positions = axesOf(geometry).map(({ out }) => out);
    const x = distinct([3, ...positions, channels], -2, 2, 1);
    const filter = distinct([...geometry.window, outputs, channels], -2, 2, 2);
    const { strides, pad, size } = geometry;
    return {
      op: 'conv2dTranspose',
      how: `to ${describe(geometry)}, ${channels} to ${outputs} channels`,
      inputs: { x, filter },
      run: ({ x, filter }) =>
        tf.conv2dTranspose(
          ...([x as tf.Tensor4D, filter as tf.Tensor4D] as const),
          ...([[3, size[0]!, size[1]!, outputs] as Shape4, strides as Shape2, pad] as const),
        ),
      expected: () => transposed(x, filter, geometry),
    };
  }),
);

export const convolutions: readonly OpCase[] = [...conv1d, ...conv2d, ...depthwise, ...conv2dTranspose];
