// Ops that put values around others, or between them.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { filled, moving } from './arranging.ts';

const paddings = [
  { shape: [5], pads: [[2, 1]] },
  {
    shape: [3, 4],
    pads: [
      [0, 0],
      [1, 2],
    ],
  },
  {
    shape: [2, 3, 4],
    pads: [
      [0, 0],
      [1, 1],
      [0, 2],
    ],
  },
  {
    shape: [2, 3, 3, 2],
    pads: [
      [0, 0],
      [1, 2],
      [2, 1],
      [0, 0],
    ],
  },
] as const;
type Pads = [number, number][];

const pads = paddings.map(({ shape, pads }) =>
  moving(
    ...(['pad', `by ${JSON.stringify(pads)}`, filled(shape)] as const),
    (x) => tf.pad(x, pads as unknown as Pads),
    shape.map((length, axis) => length + pads[axis]![0] + pads[axis]![1]),
    (index) => {
      const from = index.map((i, axis) => i - pads[axis]![0]);
      return from.every((i, axis) => i >= 0 && i < shape[axis]!) ? from : undefined;
    },
  ),
);

const mirrors = (['reflect', 'symmetric'] as const).flatMap((mode) =>
  paddings.map(({ shape, pads }) => ({
    ...moving(
      ...(['mirrorPad', `${mode} by ${JSON.stringify(pads)}`, filled(shape)] as const),
      (x) => tf.mirrorPad(x, pads as unknown as Pads, mode),
      shape.map((length, axis) => length + pads[axis]![0] + pads[axis]![1]),
      (index) =>
        index.map((i, axis) => {
          const [length, edge] = [shape[axis]!, mode === 'reflect' ? 0 : 1];
          const at = i - pads[axis]![0];
          if (at < 0) return -at - edge;
          return at < length ? at : 2 * (length - 1) - at + edge;
        }),
    ),
    // Upstream defines the gradient of a pad by constants for it, too.
    differentiable: false,
  })),
);

const blocks = [2, 3].map((block) => {
  const shape = [2, 2 * block, block, 3];
  return moving(
    ...(['spaceToBatchND', `blocks of ${block}`, filled(shape)] as const),
    (x) =>
      tf.spaceToBatchND(
        x,
        [block, block],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    [2 * block * block, 2, 1, 3],
    ([b, i, j, c]) => {
      const [cell, sample] = [Math.floor(b! / 2), b! % 2];
      return [sample, i! * block + Math.floor(cell / block), j! * block + (cell % block), c!];
    },
  );
});

export const padding: readonly OpCase[] = [...pads, ...mirrors, ...blocks];
