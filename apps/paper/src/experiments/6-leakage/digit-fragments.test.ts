import { expect, test } from 'vitest';
import { digitFragments } from './digit-fragments.ts';

const size = 200;
const [height, width] = [5, 7];
/** No two pixels of an image are the same, and none is black. */
const images = Uint8Array.from({ length: size * height * width }, (_, i) => 1 + (i % (height * width)));
const digits = {
  size,
  shape: [height, width, 1],
  images,
  labels: new Uint8Array(size),
  classes: 10,
} as const;

test('a window of each image is as it was, all else is black, and every place occurs', () => {
  const window = 3;
  const fragments = digitFragments(digits, window, 1);
  const places = new Set<number>();
  for (let n = 0; n < size; n++) {
    const own = fragments.images.subarray(n * height * width, (n + 1) * height * width);
    const first = own.findIndex((value) => value > 0);
    const [top, left] = [Math.floor(first / width), first % width];
    const expected = Array.from({ length: height * width }, (_, at) => {
      const [y, x] = [Math.floor(at / width) - top, (at % width) - left];
      return y >= 0 && y < window && x >= 0 && x < window ? at + 1 : 0;
    });
    expect([...own]).toEqual(expected);
    places.add(first);
  }
  expect(places.size).toBe((height - window + 1) * (width - window + 1));
});

test('the seed decides the places, and the digits stay as they are', () => {
  const before = images.slice();
  expect(digitFragments(digits, 3, 1)).toEqual(digitFragments(digits, 3, 1));
  expect(digitFragments(digits, 3, 1)).not.toEqual(digitFragments(digits, 3, 2));
  expect(images).toEqual(before);
});
