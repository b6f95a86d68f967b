import { expect, test } from 'vitest';
import { imageOf, SIDE } from './corruption.ts';
import { severities } from './index.ts';
import { stripe } from './stripe.ts';

const never = () => expect.fail('takes no random numbers');

test('stripe inverts both borders and nothing else', () => {
  const image = imageOf((row, column) => (row + column) / 60);
  severities.forEach((severity, i) => {
    const width = [3, 4, 5, 6, 7][i]!;
    stripe.apply(image, severity, never).forEach((value, at) => {
      const column = at % SIDE;
      const inverted = column < width || column > 27 - width;
      expect(value).toBeCloseTo(inverted ? 1 - image[at]! : image[at]!, 12);
    });
  });
});
