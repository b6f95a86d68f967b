// Where the detector looks: one square anchor around the center of every cell of every feature level.

import type { Box } from './boxes.ts';

/** One feature level: the digits of one size band are found on it. */
export interface Level {
  /** A name for tables and BN domains, such as 'p3'. */
  readonly name: string;
  /** Pixels from one cell to the next. */
  readonly stride: number;
}

/** The middle and the side of an anchor, in pixels. */
export interface Anchor {
  readonly x: number;
  readonly y: number;
  readonly side: number;
  /** Index of its level. */
  readonly level: number;
}

/** Sides of anchors in strides: in the middle of the sizes of a band that spans 3 to 4 strides. */
const SIDE = 3.5;

/** All anchors of scenes of so many pixels, in the order of the detector's output: by level, then row by row. */
export function anchorsOf(levels: readonly Level[], size: number): Anchor[] {
  return levels.flatMap(({ stride }, level) => {
    const cells = Math.ceil(size / stride);
    return Array.from({ length: cells * cells }, (_, i) => ({
      x: ((i % cells) + 0.5) * stride,
      y: (Math.floor(i / cells) + 0.5) * stride,
      side: SIDE * stride,
      level,
    }));
  });
}

/** Offset of the center in sides of the anchor, and logarithms of the size over the anchor's (Faster R-CNN's). */
export type BoxCode = readonly [dx: number, dy: number, logWidth: number, logHeight: number];

export function encodeBox({ x, y, side }: Anchor, { left, top, right, bottom }: Box): BoxCode {
  return [
    ((left + right) / 2 - x) / side,
    ((top + bottom) / 2 - y) / side,
    Math.log((right - left) / side),
    Math.log((bottom - top) / side),
  ];
}

export function decodeBox({ x, y, side }: Anchor, [dx, dy, logWidth, logHeight]: BoxCode): Box {
  const [centerX, centerY] = [x + dx * side, y + dy * side];
  // A wild code must not become an infinite box.
  const [width, height] = [logWidth, logHeight].map((log) => side * Math.exp(Math.min(log, 4))) as [
    number,
    number,
  ];
  return {
    left: centerX - width / 2,
    top: centerY - height / 2,
    right: centerX + width / 2,
    bottom: centerY + height / 2,
  };
}
