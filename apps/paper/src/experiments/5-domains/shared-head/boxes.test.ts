import { seededRandom } from '@rebatch/testing';
import { expect, test } from 'vitest';
import { area, type Box, intersectionOverUnion, overlap } from './boxes.ts';

const box = (left: number, top: number, right: number, bottom: number): Box => ({ left, top, right, bottom });

test('hand-made cases', () => {
  expect(area(box(1, 2, 4, 7))).toBe(15);
  expect(area(box(4, 2, 1, 7))).toBe(0);
  expect(overlap(box(0, 0, 2, 2), box(1, 1, 3, 3))).toBe(1);
  expect(intersectionOverUnion(box(0, 0, 2, 2), box(1, 1, 3, 3))).toBeCloseTo(1 / 7, 12);
  expect(intersectionOverUnion(box(0, 0, 2, 2), box(2, 0, 4, 2))).toBe(0);
  expect(intersectionOverUnion(box(0, 0, 2, 2), box(0, 0, 2, 2))).toBe(1);
  expect(intersectionOverUnion(box(1, 1, 1, 1), box(1, 1, 1, 1))).toBe(0);
});

test('the same as counting pixels', () => {
  const random = seededRandom(1);
  const some = () => {
    const [left, top] = [random.integer(0, 8), random.integer(0, 8)];
    return box(left, top, left + random.integer(0, 5), top + random.integer(0, 5));
  };
  const holds = (b: Box, x: number, y: number) => x >= b.left && x < b.right && y >= b.top && y < b.bottom;
  for (let i = 0; i < 500; i++) {
    const [a, b] = [some(), some()];
    let [both, either] = [0, 0];
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 16; x++) {
        if (holds(a, x, y) && holds(b, x, y)) both++;
        if (holds(a, x, y) || holds(b, x, y)) either++;
      }
    }
    expect(overlap(a, b)).toBe(both);
    expect(intersectionOverUnion(a, b)).toBeCloseTo(either === 0 ? 0 : both / either, 12);
  }
});
