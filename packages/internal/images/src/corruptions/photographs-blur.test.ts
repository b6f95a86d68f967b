// The corruptions of photographs against the published parameters of CIFAR-10-C, which stand here once more, and against
// plain computations of what they mean: blurs.

import { describe, expect, test } from 'vitest';
import type { Image } from './image.ts';
import { photograph } from './images.test.support.ts';
import { apply, bySeverity, colours, expectValues } from './photographs.test.support.ts';

/** The image under a square kernel of odd side, beyond the border the nearest pixel: plain loops. */
function filtered({ values }: Image, kernel: readonly (readonly number[])[]): number[] {
  const reach = (kernel.length - 1) / 2;
  const total = kernel.flat().reduce((sum, weight) => sum + weight, 0);
  const near = (index: number) => Math.max(0, Math.min(31, index));
  return Array.from({ length: 32 * 32 * 3 }, (_, at) => {
    const [row, column, channel] = [Math.floor(at / 96), Math.floor(at / 3) % 32, at % 3];
    let sum = 0;
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        const weight = kernel[y + reach]![x + reach]!;
        sum += weight * values[(near(row + y) * 32 + near(column + x)) * 3 + channel]!;
      }
    }
    return sum / total;
  });
}

function bellOf(deviation: number, reach: number): number[][] {
  const side = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  return side.map((y) => side.map((x) => Math.exp(-(x * x + y * y) / (2 * deviation * deviation))));
}

describe('blur', () => {
  test.each(bySeverity([0.4, 0.6, 0.7, 0.8, 1]))(
    'gaussian, severity %d: deviation %d',
    (severity, deviation) => {
      const expected = filtered(colours, bellOf(deviation, Math.ceil(4 * deviation)));
      expectValues(apply('gaussian-blur', colours, severity), expected);
    },
  );

  test.each(
    bySeverity([
      [0.3, 0.4],
      [0.4, 0.5],
      [0.5, 0.6],
      [1, 0.2],
      [1.5, 0.1],
    ] as const),
  )('defocus, severity %d: radius and softness %o', (severity, [radius, soft]) => {
    const side = [-3, -2, -1, 0, 1, 2, 3];
    const disk = (y: number, x: number) => (y * y + x * x <= radius * radius ? 1 : 0);
    const gaussian = bellOf(soft, 1);
    const kernel = side.map((y) =>
      side.map((x) =>
        gaussian
          .flatMap((row, i) => row.map((w, j) => w * disk(y + i - 1, x + j - 1)))
          .reduce((a, b) => a + b),
      ),
    );
    expectValues(apply('defocus-blur', colours, severity), filtered(colours, kernel));
  });

  test.each(bySeverity([0.05, 0.25, 0.4, 0.25, 0.4]))(
    'glass, severity %d: where nothing is swapped, two blurs of deviation %d',
    (severity, deviation) => {
      const bell = bellOf(deviation, Math.ceil(4 * deviation));
      const once = { ...colours, values: Float64Array.from(filtered(colours, bell)) };
      expectValues(
        apply('glass-blur', colours, severity, () => 0.5),
        filtered(once, bell),
      );
    },
  );

  test.each(bySeverity([1, 1, 1, 2, 2]))('glass, severity %d swaps %d times', (severity, rounds) => {
    let draws = 0;
    apply('glass-blur', colours, severity, () => {
      draws++;
      return 0.5;
    });
    expect(draws).toBe(2 * 32 * 32 * rounds);
  });

  test.each(
    bySeverity([
      [6, 1],
      [6, 1.5],
      [6, 2],
      [8, 2],
      [9, 2.5],
    ] as const),
  )('motion, severity %d: length and deviation %o', (severity, [length, deviation]) => {
    const point = photograph((row, column, channel) =>
      row === 16 && column === 28 && channel === 1 ? 1 : 0,
    );
    // 0.5 of [0, 1) is the middle of the angles: horizontal.
    const { values } = apply('motion-blur', point, severity, () => 0.5);
    const at = (column: number, channel = 1) => values[(16 * 32 + column) * 3 + channel]!;
    for (let i = 1; i <= 2 * length; i++) {
      expect(at(28 - i) / at(28)).toBeCloseTo(Math.exp(-((i / deviation) ** 2) / 2), 10);
    }
    expect(at(28, 0)).toBe(0);
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 10);
  });

  test.each(bySeverity([6, 11, 16, 21, 26]))(
    'zoom, severity %d: the image and %d magnifications',
    (severity, count) => {
      const wide = photograph((_, column) => column / 31);
      const { values } = apply('zoom-blur', wide, severity);
      // At each magnification, a row of the middle is a ramp as steep as the part that it shows is wide.
      const slopes = Array.from({ length: count }, (_, i) => {
        const part = Math.ceil(32 / (1 + i / 100));
        return (part - 1) / 31 / (Math.round(part * (1 + i / 100)) - 1);
      });
      const expected = (1 / 31 + slopes.reduce((sum, slope) => sum + slope, 0)) / (count + 1);
      const slope = (values[(16 * 32 + 20) * 3]! - values[(16 * 32 + 12) * 3]!) / 8;
      expect(slope).toBeCloseTo(expected, 8);
    },
  );
});
