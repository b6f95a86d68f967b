import { expect, test } from 'vitest';
import { severities } from './corruption.ts';
import { digitCorruptions } from './digits.ts';
import { gray, named, never, SIDE } from './images.test.support.ts';

const brightness = named(digitCorruptions, 'brightness');
const contrast = named(digitCorruptions, 'contrast');
const ramp = gray((row, column) => (row * SIDE + column) / (SIDE * SIDE - 1));

test('brightness adds the same everywhere', () => {
  severities.forEach((severity, i) => {
    brightness.apply(ramp, severity, never).values.forEach((value, at) => {
      expect(value).toBeCloseTo(Math.min(1, ramp.values[at]! + [0.1, 0.2, 0.3, 0.4, 0.5][i]!), 12);
    });
  });
});

test('contrast keeps the mean and scales the deviations from it', () => {
  severities.forEach((severity, i) => {
    // The mean of the ramp is one half.
    contrast.apply(ramp, severity, never).values.forEach((value, at) => {
      expect(value).toBeCloseTo(0.5 + [0.4, 0.3, 0.2, 0.1, 0.05][i]! * (ramp.values[at]! - 0.5), 12);
    });
  });
});
