import { expectClose, seededRandom } from '@rebatch/testing';
import { expect, test } from 'vitest';
import { cropToInk, type Gray, resample } from './resample.ts';

const random = seededRandom(2);

function noise(width: number, height: number): Gray {
  return { width, height, values: random.normals(width * height) };
}

/** The triangle filter over the whole image, pixel by pixel. */
function reference({ width, height, values }: Gray, to: { width: number; height: number }): Float64Array {
  const weight = (at: number, from: number, source: number, target: number) => {
    const scale = source / target;
    return Math.max(0, 1 - Math.abs(from + 0.5 - (at + 0.5) * scale) / Math.max(1, scale));
  };
  const result = new Float64Array(to.width * to.height);
  for (let i = 0; i < result.length; i++) {
    let [sum, weights] = [0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const w =
          weight(i % to.width, x, width, to.width) * weight(Math.floor(i / to.width), y, height, to.height);
        sum += w * values[y * width + x]!;
        weights += w;
      }
    }
    result[i] = sum / weights;
  }
  return result;
}

test.each([
  [
    { width: 7, height: 5 },
    { width: 16, height: 12 },
  ],
  [
    { width: 20, height: 18 },
    { width: 6, height: 11 },
  ],
  [
    { width: 9, height: 4 },
    { width: 3, height: 13 },
  ],
  [
    { width: 1, height: 3 },
    { width: 4, height: 1 },
  ],
] as const)('%o to %o is the triangle filter', (from, to) => {
  const image = noise(from.width, from.height);
  const resampled = resample(image, to);
  expect([resampled.width, resampled.height]).toEqual([to.width, to.height]);
  expectClose(resampled.values, reference(image, to), 1e-5);
});

test('the same size is the same image', () => {
  const image = noise(6, 4);
  expect(resample(image, { width: 6, height: 4 })).toEqual(image);
});

test('cropping leaves the smallest part with all of the ink', () => {
  const values = new Float32Array(5 * 4);
  values[1 * 5 + 2] = 0.9;
  values[3 * 5 + 3] = 0.8;
  values[2 * 5 + 0] = 0.2;
  expect(cropToInk({ width: 5, height: 4, values }, 0.25)).toEqual({
    width: 2,
    height: 3,
    values: Float32Array.from([0.9, 0, 0, 0, 0, 0.8].map(Math.fround)),
  });
  expect(() => cropToInk({ width: 5, height: 4, values }, 0.9)).toThrow(/above 0.9/);
});
