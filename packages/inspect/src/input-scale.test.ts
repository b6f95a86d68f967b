// Pixels of 0 to 255, 0 to 1 and -1 to 1 told apart, of fifty first layers; other pictures are no other scale.
import { seededRandom } from '@rebatch/testing';
import { expect, test } from 'vitest';
import { inputScaleOf, otherScale } from './faults/input-scale.ts';

const SIDE = 8;
const FILTERS = 8;
const EPSILON = 1e-3;

/** Fifty sets of pictures and of kernels; pixels from 0 to 1, darkest and brightest ones among them. */
const CASES = Array.from({ length: 50 }, (_, i) => {
  const random = seededRandom(i + 1);
  const pictures = Array.from({ length: 60 }, () => {
    const [level, slope, phase] = [random.normal() * 0.15 + 0.5, random.normal() * 0.06, 3 * random.normal()];
    const contrast = 0.15 + 0.05 * Math.abs(random.normal());
    return Float64Array.from({ length: SIDE * SIDE }, (_, at) => {
      const [row, column] = [Math.floor(at / SIDE), at % SIDE];
      const value =
        level + slope * (row - 3.5) + contrast * Math.sin(column + phase) + 0.07 * random.normal();
      return Math.min(1, Math.max(0, value));
    });
  });
  return { pictures, kernel: random.normals(9 * FILTERS, 0.05, 0.4) };
});
type Case = (typeof CASES)[number];

/** What the first layer sees of the pictures, and the range of their pixels. */
function seen({ pictures, kernel }: Case, prepare: (pixel: number, at: number) => number) {
  const out = SIDE - 2;
  const sums = Array.from({ length: FILTERS }, () => ({ sum: 0, squares: 0 }));
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const picture of pictures) {
    const pixels = picture.map(prepare);
    for (const pixel of pixels) [least, largest] = [Math.min(least, pixel), Math.max(largest, pixel)];
    for (let at = 0; at < out * out; at++) {
      for (let f = 0; f < FILTERS; f++) {
        let value = 0;
        for (let k = 0; k < 9; k++) {
          const place = (Math.floor(at / out) + Math.floor(k / 3)) * SIDE + (at % out) + (k % 3);
          value += pixels[place]! * kernel[k * FILTERS + f]!;
        }
        sums[f]!.sum += value;
        sums[f]!.squares += value ** 2;
      }
    }
  }
  const count = pictures.length * out * out;
  const mean = Float64Array.from(sums, ({ sum }) => sum / count);
  const variance = Float64Array.from(sums, ({ squares }, f) => squares / count - mean[f]! ** 2);
  return { mean, variance, range: { least, largest } };
}

const SCALES: Readonly<Record<string, (pixel: number) => number>> = {
  '0 to 1': (pixel) => pixel,
  '-1 to 1': (pixel) => 2 * pixel - 1,
  '0 to 255': (pixel) => 255 * pixel,
};
const STANDARD = 'mean 0 and deviation 1 (as for ImageNet)';

const judged = (stored: ReturnType<typeof seen>, came: ReturnType<typeof seen>) => {
  const scale = inputScaleOf(stored, came, EPSILON);
  const { range } = came;
  return scale
    ? otherScale(scale, [{ name: 'x', dtype: 'float32', shape: [SIDE, SIDE, 1], range }])
    : undefined;
};

test.each(Object.keys(SCALES))('pixels of %s, where a model takes others: which, in all fifty', (came) => {
  for (const one of CASES) {
    for (const expected of Object.keys(SCALES)) {
      const found = judged(seen(one, SCALES[expected]!), seen(one, SCALES[came]!));
      expect(found).toEqual(came === expected ? undefined : { came, expected });
    }
    const standard = seen(one, (pixel) => (pixel - 0.449) / 0.226);
    expect(judged(standard, seen(one, SCALES[came]!))).toEqual({ came, expected: STANDARD });
  }
});

test('pictures of another kind are no other scale, in any of fifty', () => {
  const random = seededRandom(99);
  const alarms: string[] = [];
  const kinds: Readonly<Record<string, (pixel: number, at: number) => number>> = {
    dark: (pixel) => 0.5 * pixel,
    bright: (pixel) => Math.min(1, pixel + 0.4),
    'without contrast': (pixel) => 0.5 + 0.5 * (pixel - 0.5),
    'of high contrast': (pixel) => Math.min(1, Math.max(0, 0.5 + 2 * (pixel - 0.5))),
    inverted: (pixel) => 1 - pixel,
    noisy: (pixel) => Math.min(1, Math.max(0, pixel + 0.2 * random.normal())),
    striped: (pixel, at) => (at % 3 === 0 ? 1 : pixel),
    squared: (pixel) => pixel ** 2,
  };
  for (const [at, one] of CASES.entries()) {
    const stored = seen(one, SCALES['0 to 1']!);
    for (const [kind, prepare] of Object.entries(kinds)) {
      if (judged(stored, seen(one, prepare))) alarms.push(`${kind} ${at}`);
    }
    // Other pictures, prepared as in training.
    const others = { ...one, pictures: CASES[(at + 1) % 50]!.pictures };
    if (judged(stored, seen(others, SCALES['0 to 1']!))) alarms.push(`others ${at}`);
  }
  expect(alarms).toEqual([]);
});

test('a few channels tell nothing, nor do those that epsilon hides', () => {
  const moments = (...variance: number[]) => ({
    mean: new Float64Array(variance.length),
    variance: Float64Array.from(variance),
  });
  expect(inputScaleOf(moments(1, 1, 1), moments(4, 4, 4), EPSILON)).toBeNull();
  expect(inputScaleOf(moments(1, 1, 1, 1e-4), moments(4, 4, 4, 4), EPSILON)).toBeNull();
  const { factor, spread } = inputScaleOf(moments(1, 2, 3, 4), moments(4, 8, 12, 16), EPSILON)!;
  expect(factor).toBeCloseTo(2, 12);
  expect(spread).toBeCloseTo(0, 12);
});
