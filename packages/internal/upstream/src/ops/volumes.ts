// Convolutions of volumes.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { distinct } from '../values.ts';
import { axesOf, convolution, describe, type Geometry, named, transposed } from './convolution.ts';

const GEOMETRIES_3D: readonly Geometry[] = (['same', 'valid'] as const).flatMap((pad) => [
  { size: [4, 5, 3], window: [2, 3, 2], strides: [1, 1, 1], pad, dilations: [1, 1, 1] },
  { size: [5, 4, 6], window: [3, 2, 2], strides: [2, 2, 2], pad, dilations: [1, 1, 1] },
  { size: [4, 4, 4], window: [2, 2, 3], strides: [1, 2, 1], pad, dilations: [1, 1, 1] },
  { size: [6, 5, 6], window: [2, 2, 2], strides: [3, 3, 3], pad, dilations: [1, 1, 1] },
  { size: [6, 4, 6], window: [2, 2, 2], strides: [3, 3, 3], pad, dilations: [1, 1, 1] },
  { size: [5, 4, 5], window: [2, 2, 2], strides: [1, 1, 1], pad, dilations: [2, 2, 2] },
]);
type Shape3 = [number, number, number];

export function conv3dCase(geometry: Geometry, channels: number, outputs: number): OpCase {
  const x = distinct([2, ...geometry.size, channels], -2, 2, 1);
  const filter = distinct([...geometry.window, channels, outputs], -2, 2, 2);
  const { strides, pad, dilations } = geometry;
  return {
    op: named('conv3d', geometry),
    how: `${describe(geometry)}, ${channels} to ${outputs} channels`,
    inputs: { x, filter },
    run: ({ x, filter }) =>
      tf.conv3d(
        ...([x as tf.Tensor5D, filter as tf.Tensor5D, strides as Shape3, pad as 'same'] as const),
        ...(['NDHWC', dilations as Shape3] as const),
      ),
    expected: () => convolution(x, filter, geometry),
  };
}

const conv3d = GEOMETRIES_3D.map((geometry) => conv3dCase(geometry, 3, 2));

const conv3dTranspose = GEOMETRIES_3D.filter(({ dilations }) => dilations[0] === 1).map(
  (geometry): OpCase => {
    const positions = axesOf(geometry).map(({ out }) => out);
    const x = distinct([2, ...positions, 3], -2, 2, 1);
    const filter = distinct([...geometry.window, 2, 3], -2, 2, 2);
    const { strides, pad, size } = geometry;
    return {
      op: 'conv3dTranspose',
      how: `to ${describe(geometry)}`,
      inputs: { x, filter },
      run: ({ x, filter }) =>
        tf.conv3dTranspose(
          ...([x as tf.Tensor5D, filter as tf.Tensor5D, [2, ...size, 2] as never] as const),
          ...([strides as Shape3, pad as 'same'] as const),
        ),
      expected: () => transposed(x, filter, geometry),
    };
  },
);

export const volumes: readonly OpCase[] = [...conv3d, ...conv3dTranspose];
