// Boxes in pixels, and how much two of them have in common.

/** Edges in pixels: right and bottom lie behind the last pixel, so that right - left is the width. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Pixels of a box; 0 for one that is empty or inside out. */
export function area({ left, top, right, bottom }: Box): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

/** The pixels that two boxes share. */
export function overlap(a: Box, b: Box): number {
  return area({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
}

/** Intersection over union, 0 to 1; 0 where both are empty. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const shared = overlap(a, b);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}
