import { seededRandom } from '@rebatch/testing';
import { expect, test } from 'vitest';
import { anchorsOf, decodeBox, encodeBox } from './anchors.ts';
import type { Scene, SceneObject } from './scenes.ts';
import { assignTargets } from './targets.ts';

const levels = [
  { name: 'fine', stride: 4 },
  { name: 'coarse', stride: 8 },
];
const anchors = anchorsOf(levels, 16);

function sceneOf(...objects: SceneObject[]): Scene {
  return { image: { width: 16, height: 16, values: new Float32Array(256) }, objects };
}

const square = (x: number, y: number, side: number) => ({
  left: x - side / 2,
  top: y - side / 2,
  right: x + side / 2,
  bottom: y + side / 2,
});

test('anchors lie on the centers of the cells, level by level and row by row', () => {
  expect(anchors).toHaveLength(16 + 4);
  expect(anchors[0]).toEqual({ x: 2, y: 2, side: 14, level: 0 });
  expect(anchors[6]).toEqual({ x: 10, y: 6, side: 14, level: 0 });
  expect(anchors[17]).toEqual({ x: 12, y: 4, side: 28, level: 1 });
});

test('a box code, by hand', () => {
  const code = encodeBox(anchors[0]!, { left: 9, top: 9, right: 23, bottom: 16 });
  expect(code).toEqual([1, 10.5 / 14, 0, Math.log(0.5)]);
});

test('decoding undoes encoding, and a wild code is still a finite box', () => {
  const random = seededRandom(3);
  for (let i = 0; i < 200; i++) {
    const [left, top] = [random.uniform() * 12, random.uniform() * 12];
    const box = {
      left,
      top,
      right: left + 0.5 + random.uniform() * 9,
      bottom: top + 0.5 + random.uniform() * 9,
    };
    const anchor = anchors[random.integer(0, anchors.length - 1)]!;
    const decoded = decodeBox(anchor, encodeBox(anchor, box));
    for (const edge of ['left', 'top', 'right', 'bottom'] as const)
      expect(decoded[edge]).toBeCloseTo(box[edge], 9);
  }
  const wild = decodeBox(anchors[0]!, [0, 0, 1e6, 1e6]);
  expect(Number.isFinite(wild.right)).toBe(true);
});

test('a digit goes to the cells of its own level around its center', () => {
  const scene = sceneOf({ box: square(8, 8, 10), label: 3, band: 0 });
  const { classes, boxes, positive } = assignTargets([sceneOf(), scene], anchors, levels, 10);
  const marked = [...positive.entries()].filter(([, value]) => value === 1).map(([i]) => i - anchors.length);
  // The four cells of 4 pixels whose centers are within 4 pixels of (8, 8), both ways.
  expect(marked).toEqual([5, 6, 9, 10]);
  for (const i of marked) {
    const at = anchors.length + i;
    expect([...classes.subarray(at * 10, at * 10 + 10)]).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect([...boxes.subarray(at * 4, at * 4 + 4)]).toEqual(
      encodeBox(anchors[i]!, scene.objects[0]!.box).map(Math.fround),
    );
  }
  expect(classes.reduce((a, b) => a + b)).toBe(4);
  const coarse = sceneOf({ box: square(13, 4, 16), label: 0, band: 1 });
  const { positive: onCoarse } = assignTargets([coarse], anchors, levels, 10);
  expect([...onCoarse.entries()].filter(([, value]) => value === 1).map(([i]) => i)).toEqual([17, 19]);
});

test('of two digits, a cell takes the nearer, in whatever order they come', () => {
  const near = { box: square(6.5, 6, 6), label: 1, band: 0 };
  const far = { box: square(9, 6, 6), label: 2, band: 0 };
  for (const objects of [
    [near, far],
    [far, near],
  ]) {
    const { classes } = assignTargets([sceneOf(...objects)], anchors, levels, 10);
    // (6, 6) is 0.5 from the one and 3 from the other.
    expect([...classes.subarray(50, 60)].indexOf(1)).toBe(1);
    expect([...classes.subarray(50, 60)].filter((value) => value === 1)).toHaveLength(1);
    expect([...classes.subarray(60, 70)].indexOf(1)).toBe(2);
  }
});
