// The corruptions of photographs against the published parameters of CIFAR-10-C, which stand here once more, and against
// plain computations of what they mean: weather, colour and detail.

import seedrandom from 'seedrandom';
import { describe, expect, test } from 'vitest';
import type { Image } from './image.ts';
import { photograph } from './images.test.support.ts';
import { apply, bySeverity, colours, expectValues, momentsOf, smooth } from './photographs.test.support.ts';

describe('weather', () => {
  test.each(bySeverity([0.95, 0.9, 0.9, 0.85, 0.8]))(
    'snow, severity %d, without a flake: %d of the colours',
    (severity, kept) => {
      // The cosine of half a turn: noise far below the threshold.
      const { values } = apply('snow', smooth, severity, () => 0.5);
      const expected = Array.from(smooth.values, (value, i) => {
        const start = i - (i % 3);
        const [red, green, blue] = smooth.values.slice(start, start + 3);
        const pale = Math.max(value, 1.5 * (0.299 * red! + 0.587 * green! + 0.114 * blue!) + 0.5);
        return kept * value + (1 - kept) * pale;
      });
      expectValues({ ...smooth, values }, expected);
    },
  );

  test.each(
    bySeverity([
      [0.1, 0.2, 0.6],
      [0.1, 0.2, 0.5],
      [0.15, 0.3, 0.55],
      [0.25, 0.3, 0.6],
      [0.3, 0.3, 0.65],
    ] as const),
  )('snow, severity %d: noise and threshold %o', (severity, [mean, deviation, threshold]) => {
    const black = photograph(() => 0);
    // A quarter turn less a little: the cosine of nearly 0, times the root of -2 ln(1 - u), for one u and all angles.
    const layer = (u: number) => {
      let first = true;
      const random = () => {
        first = !first;
        return first ? 0 : u;
      };
      return apply('snow', black, severity, random).values;
    };
    const uOf = (value: number) => 1 - Math.exp(-(((value - mean) / deviation) ** 2) / 2);
    const bare = apply('snow', black, severity, () => 0.5).values;
    const [under, over] = [threshold - 0.01, threshold + 0.01].map((value) => layer(uOf(value)));
    expectValues({ ...black, values: under! }, [...bare]);
    // Everywhere a flake of that brightness, twice.
    for (const [i, value] of over!.entries()) expect(value - bare[i]!).toBeCloseTo(2 * (threshold + 0.01), 6);
  });

  test.each(
    bySeverity([
      [1, 0.2],
      [1, 0.3],
      [0.9, 0.4],
      [0.85, 0.4],
      [0.75, 0.45],
    ] as const),
  )('frost, severity %d: weights %o', (severity, [image, ice]) => {
    const frozen = (from: Image) => apply('frost', from, severity, seedrandom('frost')).values;
    const [black, seen] = [frozen(photograph(() => 0)), frozen(colours)];
    seen.forEach((value, i) => {
      expect(value - black[i]!).toBeCloseTo(image * colours.values[i]!, 10);
    });
    expect(Math.min(...black) / ice).toBeGreaterThan(0.15);
    expect(Math.max(...black) / ice).toBeLessThanOrEqual(1);
    // Blue more than red.
    expect(black[2]!).toBeGreaterThan(black[0]!);
  });

  test.each(bySeverity([0.2, 0.5, 0.75, 1, 1.5]))('fog, severity %d: thickness %d', (severity, thickness) => {
    const foggy = (from: Image) => apply('fog', from, severity, seedrandom('fog')).values;
    const [white, seen] = [
      foggy(photograph(() => 1)),
      foggy({ ...smooth, values: smooth.values.map((v, i) => (i === 0 ? 1 : v)) }),
    ];
    seen.forEach((value, i) => {
      if (i > 0) expect(white[i]! - value).toBeCloseTo((1 - smooth.values[i]!) / (1 + thickness), 10);
    });
    expect(Math.max(...white)).toBeCloseTo(1, 10);
    expect(Math.min(...white)).toBeCloseTo(1 / (1 + thickness), 10);
  });

  test.each(bySeverity([0.05, 0.1, 0.15, 0.2, 0.3]))('brightness, severity %d: %d', (severity, more) => {
    const expected = inHsv(colours, ([hue, saturation, value]) => [
      hue,
      saturation,
      Math.min(1, value + more),
    ]);
    expectValues(apply('brightness', colours, severity), expected);
  });
});

/** Through hue, saturation and value and back, by the textbook (Smith 1978). */
function inHsv(
  { values }: Image,
  change: (hsv: [number, number, number]) => [number, number, number],
): number[] {
  const pixels = Array.from({ length: values.length / 3 }, (_, i) => [...values.slice(3 * i, 3 * i + 3)]);
  return pixels.flatMap((rgb) => {
    const [r, g, b] = rgb as [number, number, number];
    const [max, min] = [Math.max(r, g, b), Math.min(r, g, b)];
    const range = max - min;
    let hue = 0;
    if (range > 0) {
      if (max === r) hue = ((g - b) / range + 6) % 6;
      else if (max === g) hue = (b - r) / range + 2;
      else hue = (r - g) / range + 4;
    }
    const [h, s, v] = change([hue, max === 0 ? 0 : range / max, max]);
    return [5, 3, 1].map((n) => {
      const k = (n + h) % 6;
      return v - v * s * Math.max(0, Math.min(k, 4 - k, 1));
    });
  });
}

describe('colour and detail', () => {
  test.each(bySeverity([0.75, 0.5, 0.4, 0.3, 0.15]))('contrast, severity %d: %d', (severity, share) => {
    const means = [0, 1, 2].map((c) => momentsOf([...smooth.values].filter((_, i) => i % 3 === c)).mean);
    const expected = Array.from(smooth.values, (value, i) => means[i % 3]! + share * (value - means[i % 3]!));
    expectValues(apply('contrast', smooth, severity), expected);
  });

  test.each(
    bySeverity([
      [0.3, 0],
      [0.1, 0],
      [1.5, 0],
      [2, 0.1],
      [2.5, 0.2],
    ] as const),
  )('saturate, severity %d: %o', (severity, [times, plus]) => {
    const [black, white] = [new Float64Array(3), new Float64Array(3).fill(1)];
    const values = colours.values.slice();
    values.set(black, 0);
    values.set(white, 3);
    const image = { ...colours, values };
    const expected = inHsv(image, ([hue, s, v]) => [hue, Math.max(0, Math.min(1, s * times + plus)), v]);
    expectValues(apply('saturate', image, severity), expected);
  });

  test.each(bySeverity([2.56, 2.24, 1.92, 1.6, 0.96]))(
    'elastic, severity %d: points move by %d at most',
    (severity, most) => {
      expectValues(
        apply('elastic', smooth, severity, () => 0.5),
        [...smooth.values],
      );
      const wide = photograph((_, column) => column / 31);
      // Every random motion at its largest: a plain shift of the middle, on top of the field's.
      const { values } = apply('elastic', wide, severity, () => 1 - 1e-12);
      const field = [0, 0.05, 0.08, 0.1, 0.1][severity - 1]! * 32;
      expect(16 - 31 * values[(16 * 32 + 16) * 3]!).toBeCloseTo(most - field, 6);
    },
  );

  test.each(bySeverity([30, 28, 27, 24, 20]))('pixelate, severity %d: %d pixels a side', (severity, side) => {
    const wide = photograph((_, column, channel) => (channel === 2 ? column / 31 : 0));
    const { values } = apply('pixelate', wide, severity);
    const row = Array.from({ length: 32 }, (_, column) => values[3 * column + 2]!.toFixed(9));
    expect(new Set(row).size).toBe(side);
  });

  test.each(bySeverity([80, 65, 58, 50, 40]))('jpeg, severity %d: quality %d', (severity, quality) => {
    const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    const step = (entry: number) => Math.floor((entry * scale + 50) / 100);
    // Flat images have one frequency, the mean times 8; the tables begin with 16 and 17.
    const kept = (value: number, entry: number) =>
      (Math.round(((Math.round(255 * value) - 128) * 8) / step(entry)) * step(entry)) / 8 + 128;
    const [red, green, blue] = [0.9, 0.3, 0.15] as const;
    const flat = photograph((_, __, channel) => [red, green, blue][channel]!);
    const y = kept(0.299 * red + 0.587 * green + 0.114 * blue, 16);
    const cb = kept(0.5 * blue - 0.168736 * red - 0.331264 * green + 128 / 255, 17) - 128;
    const cr = kept(0.5 * red - 0.418688 * green - 0.081312 * blue + 128 / 255, 17) - 128;
    const expected = [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb].map((v) => v / 255);
    expectValues(
      apply('jpeg', flat, severity),
      Array.from({ length: 3072 }, (_, i) => expected[i % 3]!),
    );
  });
});
