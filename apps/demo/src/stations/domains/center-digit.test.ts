import { loadDigits } from '@rebatch/digits';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { centerDigit } from './center-digit.ts';

const SIZE = 96;

function drawn(ink: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: SIZE * SIZE }, (_, at) => ink(at % SIZE, Math.floor(at / SIZE)));
}

function bounds(digit: Uint8Array) {
  const lit = [...digit.keys()].filter((at) => (digit[at] as number) > 0);
  const [xs, ys] = [lit.map((at) => at % 28), lit.map((at) => Math.floor(at / 28))];
  return {
    width: Math.max(...xs) - Math.min(...xs) + 1,
    height: Math.max(...ys) - Math.min(...ys) + 1,
    left: Math.min(...xs),
    top: Math.min(...ys),
  };
}

test('a bar far from the middle comes to the middle, 20 pixels high, its shape kept', () => {
  const digit = centerDigit(
    drawn((x, y) => (x >= 4 && x < 12 && y >= 40 && y < 80 ? 200 : 0)),
    SIZE,
    SIZE,
  ) as Uint8Array;
  expect(bounds(digit)).toEqual({ width: 4, height: 20, left: 13, top: 5 });
  expect(Math.max(...digit)).toBe(255);
});

test('nothing drawn is nothing', () => {
  expect(
    centerDigit(
      drawn(() => 0),
      SIZE,
      SIZE,
    ),
  ).toBeUndefined();
});

test('where it is drawn does not matter', () => {
  const spot = fc.record({ x: fc.integer({ min: 0, max: 60 }), y: fc.integer({ min: 0, max: 60 }) });
  const at = ({ x, y }: { x: number; y: number }) =>
    centerDigit(
      drawn((column, row) => {
        const [dx, dy] = [column - x - 15, row - y - 15];
        return Math.hypot(dx, dy * 0.6) < 9 || (dx > 0 && dx < 15 && Math.abs(dy) < 4) ? 255 : 0;
      }),
      SIZE,
      SIZE,
    );
  const expected = at({ x: 20, y: 20 });
  fc.assert(
    fc.property(spot, (where) => {
      expect(at(where)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test("MNIST's own digits, enlarged and moved, come out as they are, give or take the enlargement", async () => {
  const { images } = await loadDigits('t10k');
  for (let index = 0; index < 20; index++) {
    const original = images.subarray(index * 784, (index + 1) * 784);
    const large = drawn((x, y) => {
      const [column, row] = [Math.floor((x - 5) / 3), Math.floor((y - 8) / 3)];
      return column >= 0 && column < 28 && row >= 0 && row < 28 ? (original[row * 28 + column] as number) : 0;
    });
    const digit = centerDigit(large, SIZE, SIZE) as Uint8Array;
    const difference = digit.reduce((sum, value, at) => sum + Math.abs(value - (original[at] as number)), 0);
    const ink = original.reduce((sum, value) => sum + value, 0);
    expect(difference / ink).toBeLessThan(0.25);
  }
});
