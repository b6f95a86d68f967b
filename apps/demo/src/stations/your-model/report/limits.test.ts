import { ADVICE_THRESHOLDS } from '@rebatch/inspect';
import { expect, test } from 'vitest';
import { MEAN_NOISE, MEAN_SHIFT, VARIANCE_NOISE, VARIANCE_SHIFT } from './limits.ts';

test('the marks in the report are where advice begins', () => {
  expect(ADVICE_THRESHOLDS).toMatchObject({
    meanShift: MEAN_SHIFT,
    varianceShift: VARIANCE_SHIFT,
    meanNoise: MEAN_NOISE,
    varianceNoise: VARIANCE_NOISE,
  });
});
