// Resizing of images, as upSampling2d and resizing layers do it.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { type Expected, weightedSums } from '../reference.ts';
import { distinct, type Range, type Values } from '../values.ts';

export interface Resize {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** The places of an axis that each place of the resized axis is made of, and their weights. */
type Mix = readonly (readonly [from: number, weight: number])[];

function sourceOf(i: number, from: number, to: number, { alignCorners, halfPixelCenters }: Resize): number {
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  return halfPixelCenters ? (i + 0.5) * scale : i * scale;
}

function nearest(i: number, from: number, to: number, resize: Resize): Mix {
  const source = sourceOf(i, from, to, resize);
  const at = resize.alignCorners ? Math.floor(source + 0.5) : Math.floor(source);
  return [[Math.min(from - 1, at), 1]];
}

function bilinear(i: number, from: number, to: number, resize: Resize): Mix {
  const source = sourceOf(i, from, to, resize) - (resize.halfPixelCenters ? 0.5 : 0);
  const below = Math.floor(source);
  const part = source - below;
  const inside = (at: number) => Math.min(from - 1, Math.max(0, at));
  return [
    [inside(below), 1 - part],
    [inside(Math.ceil(source)), part],
  ];
}

function resized(x: Values, resize: Resize, mix: typeof nearest): Expected {
  const [batch, height, width, channels] = x.shape as readonly [number, number, number, number];
  const [rows, columns] = resize.to;
  return weightedSums([batch, rows, columns, channels], 'x', x, (visit) => {
    for (let b = 0; b < batch; b++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          for (const [row, ofRow] of mix(i, height, rows, resize)) {
            for (const [column, ofColumn] of mix(j, width, columns, resize)) {
              for (let c = 0; c < channels; c++) {
                visit(
                  ((b * rows + i) * columns + j) * channels + c,
                  ((b * height + row) * width + column) * channels + c,
                  ofRow * ofColumn,
                );
              }
            }
          }
        }
      }
    }
  });
}

const SIZES = [
  { from: [2, 2], to: [4, 4] },
  { from: [3, 4], to: [6, 12] },
  { from: [3, 2], to: [5, 7] },
  { from: [6, 8], to: [3, 4] },
  { from: [7, 5], to: [3, 2] },
  { from: [4, 4], to: [4, 4] },
  { from: [3, 3], to: [1, 1] },
  { from: [1, 1], to: [3, 2] },
] as const;
export const KINDS = [
  { alignCorners: false, halfPixelCenters: false },
  { alignCorners: true, halfPixelCenters: false },
  { alignCorners: false, halfPixelCenters: true },
];
const RANGES: readonly Range[] = [
  [-2, 2],
  [-3, -0.5],
];

const OPS = {
  resizeNearestNeighbor: { run: tf.image.resizeNearestNeighbor, mix: nearest },
  resizeBilinear: { run: tf.image.resizeBilinear, mix: bilinear },
};

export type ResizingOp = keyof typeof OPS;

export function resizingCase(op: ResizingOp, resize: Resize, channels: number, range: Range): OpCase {
  const { from, to, alignCorners, halfPixelCenters } = resize;
  const { run, mix } = OPS[op];
  const x = distinct([3, ...from, channels], ...range);
  return {
    op: halfPixelCenters ? `${op}, halfPixelCenters` : op,
    how: `[${from}] to [${to}]${alignCorners ? ', alignCorners' : ''}, ${channels} channels, from ${range[0]}`,
    inputs: { x },
    run: ({ x }) => run(x as tf.Tensor4D, [...to], alignCorners, halfPixelCenters),
    expected: () => resized(x, resize, mix),
  };
}

export const resizing: readonly OpCase[] = (Object.keys(OPS) as ResizingOp[]).flatMap((op) =>
  KINDS.flatMap((kind) =>
    SIZES.flatMap((sizes) =>
      [1, 3].map((channels, i) => resizingCase(op, { ...sizes, ...kind }, channels, RANGES[i]!)),
    ),
  ),
);
