import { expect, test } from 'vitest';
import { severities } from './corruption.ts';
import { digitCorruptions } from './digits.ts';
import { gray, named, never, SIDE } from './images.test.support.ts';

const stripe = named(digitCorruptions, 'stripe');

test('stripe inverts both borders and nothing else', () => {
  const image = gray((row, column) => (row + column) / 60);
  severities.forEach((severity, i) => {
    const width = [3, 4, 5, 6, 7][i]!;
    stripe.apply(image, severity, never).values.forEach((value, at) => {
      const column = at % SIDE;
      const inverted = column < width || column > 27 - width;
      expect(value).toBeCloseTo(inverted ? 1 - image.values[at]! : image.values[at]!, 12);
    });
  });
});
