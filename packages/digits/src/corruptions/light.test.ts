import { expect, test } from 'vitest';
import { imageOf, SIDE } from './corruption.ts';
import { severities } from './index.ts';
import { brightness, contrast } from './light.ts';

const never = () => expect.fail('takes no random numbers');
const ramp = imageOf((row, column) => (row * SIDE + column) / (SIDE * SIDE - 1));

test('brightness adds the same everywhere', () => {
  severities.forEach((severity, i) => {
    brightness.apply(ramp, severity, never).forEach((value, at) => {
      expect(value).toBeCloseTo(ramp[at]! + [0.1, 0.2, 0.3, 0.4, 0.5][i]!, 12);
    });
  });
});

test('contrast keeps the mean and scales the deviations from it', () => {
  severities.forEach((severity, i) => {
    // The mean of the ramp is one half.
    contrast.apply(ramp, severity, never).forEach((value, at) => {
      expect(value).toBeCloseTo(0.5 + [0.4, 0.3, 0.2, 0.1, 0.05][i]! * (ramp[at]! - 0.5), 12);
    });
  });
});
