import { seededRandom } from '@rebatch/testing';
import { expect, test } from 'vitest';
import { COCO_THRESHOLDS, type Detection, meanAveragePrecision, type Truth } from './average-precision.ts';
import type { Box } from './boxes.ts';

/** A box 10 high whose intersection over union with the unmoved one is (10 - by) / (10 + by). */
const moved = (by: number, row = 0): Box => ({
  left: by,
  top: 20 * row,
  right: by + 10,
  bottom: 20 * row + 10,
});
const truth = (scene: number, row = 0, label = 0): Truth => ({ scene, box: moved(0, row), label });
const found = (scene: number, score: number, by = 0, row = 0, label = 0): Detection => ({
  scene,
  box: moved(by, row),
  label,
  score,
});

test.each([
  ['all found', [truth(0), truth(1)], [found(0, 0.9), found(1, 0.8)], 1],
  ['none found', [truth(0)], [], 0],
  ['one of two', [truth(0), truth(1)], [found(0, 0.9)], 0.5],
  ['a false one first', [truth(0)], [found(1, 0.9), found(0, 0.8)], 0.5],
  ['a false one last costs nothing', [truth(0)], [found(0, 0.9), found(1, 0.8)], 1],
  [
    'the second of a pair is false',
    [truth(0), truth(1)],
    [found(0, 0.9), found(0, 0.8), found(1, 0.7)],
    0.5 + 0.5 * (2 / 3),
  ],
  ['another class', [truth(0)], [found(0, 0.9, 0, 0, 1)], 0],
  ['too far off', [truth(0)], [found(0, 0.9, 4)], 0],
  ['near enough', [truth(0)], [found(0, 0.9, 3)], 1],
  [
    'precision is made monotone',
    [truth(0), truth(1), truth(2)],
    [found(0, 0.9), found(3, 0.8), found(1, 0.7), found(2, 0.6)],
    (1 + 0.75 + 0.75) / 3,
  ],
  ['the mean over the classes that are there', [truth(0), truth(0, 1, 5)], [found(0, 0.9)], 0.5],
] as const)('%s', (_, truths, detections, expected) => {
  expect(meanAveragePrecision([...truths], [...detections], 0.5)).toBeCloseTo(expected, 12);
});

test('the surer takes the digit that it overlaps most, the next what is left', () => {
  const truths: Truth[] = [truth(0), { ...truth(0), box: moved(2) }];
  // Both overlap both by half at least; the surer one is the second digit exactly.
  expect(meanAveragePrecision(truths, [found(0, 0.9, 2), found(0, 0.8, 1)], 0.5)).toBe(1);
  expect(() => meanAveragePrecision([], [found(0, 1)], 0.5)).toThrow(RangeError);
});

test('higher thresholds want better boxes', () => {
  expect(COCO_THRESHOLDS).toEqual([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]);
  // 9 / 11.
  const hits = COCO_THRESHOLDS.filter((t) => meanAveragePrecision([truth(0)], [found(0, 1, 1)], t) === 1);
  expect(hits).toEqual([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8]);
});

/**
 * From the definition: for every number of digits found, the best precision over all cuts of the ranking that find as many
 * or more; each cut is matched from scratch.
 */
function bruteForce(truths: readonly Truth[], detections: readonly Detection[], threshold: number): number {
  const share = (a: Box, b: Box) => {
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (width <= 0 || height <= 0) return 0;
    const sizes = [a, b].map((c) => (c.right - c.left) * (c.bottom - c.top));
    return (width * height) / (sizes[0]! + sizes[1]! - width * height);
  };
  const labels = [...new Set(truths.map(({ label }) => label))];
  let total = 0;
  for (const label of labels) {
    const own = truths.filter((t) => t.label === label);
    const scores = detections.filter((d) => d.label === label).map((d) => d.score);
    const cuts = scores.map((least) => {
      const kept = detections.filter((d) => d.label === label && d.score >= least);
      const left = new Set(own);
      let hits = 0;
      while (kept.length > 0) {
        const surest = kept.reduce((a, b) => (b.score > a.score ? b : a));
        kept.splice(kept.indexOf(surest), 1);
        let best: Truth | undefined;
        for (const candidate of left) {
          if (candidate.scene !== surest.scene || share(candidate.box, surest.box) < threshold) continue;
          if (best === undefined || share(candidate.box, surest.box) > share(best.box, surest.box))
            best = candidate;
        }
        if (best === undefined) continue;
        left.delete(best);
        hits++;
      }
      return { hits, precision: hits / scores.filter((score) => score >= least).length };
    });
    for (let k = 1; k <= own.length; k++) {
      const enough = cuts.filter(({ hits }) => hits >= k).map(({ precision }) => precision);
      total += Math.max(0, ...enough) / own.length;
    }
  }
  return total / labels.length;
}

test('the same as by brute force, on crowded random scenes', () => {
  const random = seededRandom(5);
  const some = () => {
    const [left, top] = [random.uniform() * 12, random.uniform() * 12];
    const box = { left, top, right: left + 4 + random.uniform() * 8, bottom: top + 4 + random.uniform() * 8 };
    return { scene: random.integer(0, 2), box, label: random.integer(0, 2) };
  };
  const results = Array.from({ length: 60 }, (_, i) => {
    const truths = Array.from({ length: random.integer(1, 14) }, some);
    // Half of the detections are digits that are a little off.
    const detections = Array.from({ length: random.integer(0, 30) }, () => {
      const near = truths[random.integer(0, truths.length - 1)]!;
      const by = random.normal();
      const box = { ...near.box, left: near.box.left + by, right: near.box.right + by };
      return { ...(random.uniform() < 0.5 ? { ...near, box } : some()), score: random.uniform() };
    });
    const threshold = [0.3, 0.5, 0.75][i % 3]!;
    const value = meanAveragePrecision(truths, detections, threshold);
    expect(value).toBeCloseTo(bruteForce(truths, detections, threshold), 10);
    return value;
  });
  expect(results.filter((value) => value > 0.1 && value < 0.9).length).toBeGreaterThan(20);
});
