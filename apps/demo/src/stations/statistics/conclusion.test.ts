import { expect, test } from 'vitest';
import { conclusionOf } from './conclusion.ts';
import type { Decay, TrainEvent } from './settings.ts';

const event = (step: number, ema: number, precise: number, decay: Decay = 0.99): TrainEvent => ({
  step,
  loss: 1,
  errors: { ema, precise, layerwise: undefined, miniBatch: precise },
  shifts: [],
  farthest: [],
  decay,
  samples: 1_000,
});

test('nothing is said before there is something to compare', () => {
  expect(conclusionOf([])).toBeUndefined();
  expect(conclusionOf([event(1, 0.9, 0.4)])).toBeUndefined();
});

test('an average that lags, and catches up', () => {
  expect(
    conclusionOf([event(1, 1, 0), event(8, 0.8, 0.3), event(16, 0.3, 0.28), event(24, 0.205, 0.2)]),
  ).toBe(
    'At step 8 the same weights got 80.0% of new digits wrong under the EMA, and 30.0% under PreciseBN: the average was ' +
      'still about older weights. By step 24 it has caught up: 20.5% and 20.0%.',
  );
});

test('one that is still behind at the end, and one that ends ahead', () => {
  expect(conclusionOf([event(8, 0.8, 0.3), event(16, 0.3, 0.28)])).toMatch(
    /At step 16 they are still apart: 30\.0% and 28\.0%\.$/,
  );
  expect(conclusionOf([event(8, 0.8, 0.3), event(16, 0.26, 0.28)])).toMatch(
    /At step 16 it is the EMA that does better: 26\.0% and 28\.0%\.$/,
  );
});

test('one that is better at times', () => {
  expect(conclusionOf([event(8, 0.3, 0.31), event(16, 0.1, 0.25)])).toBe(
    'Here the EMA did better at times: 10.0% wrong at step 16, against 25.0% under PreciseBN. An average over past ' +
      'weights can smooth out a bad step.',
  );
});

test('one that keeps up, whatever its decay was', () => {
  expect(conclusionOf([event(8, 0.3, 0.28, 0.5), event(16, 0.2, 0.21, 0.5)])).toBe(
    'With a decay of 0.5 the EMA was never more than 2.0 points away from PreciseBN: it forgot old weights fast enough.',
  );
  expect(conclusionOf([event(8, 0.3, 0.28, 0.5), event(16, 0.17, 0.2, 0.9)])).toBe(
    'The EMA was never more than 3.0 points away from PreciseBN: it forgot old weights fast enough.',
  );
});

test('PreciseBN does not stand still where the weights jump, and that is said', () => {
  const jumping = [0.5, 0.4, 0.338, 0.612, 0.266].map((precise, at) => event(8 * (at + 1), precise, precise));
  expect(conclusionOf(jumping)).toMatch(
    /PreciseBN swings, too, lately between 26\.6% and 61\.2%: that is the weights jumping, not the statistics\.$/,
  );
  const calm = [0.9, 0.5, 0.3, 0.29, 0.28].map((precise, at) => event(8 * (at + 1), precise, precise));
  expect(conclusionOf(calm)).not.toMatch('swings');
  // Two points are no swing.
  expect(conclusionOf([event(8, 0.6, 0.6), event(16, 0.3, 0.3)])).not.toMatch('swings');
});
