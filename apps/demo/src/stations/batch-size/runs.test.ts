import { expect, test } from 'vitest';
import { changesOf, dotsOf, gapOf, nameOf, type SizeRun } from './runs.ts';
import type { TrainEvent } from './settings.ts';

const event = (step: number, population: number, frozen = false): TrainEvent => ({
  step,
  loss: 1,
  frozen,
  errors: { training: 0.5, miniBatch: 0.4, population },
});
const run = (size: SizeRun['size'], ...points: TrainEvent[]): SizeRun => ({ size, points });

test('a frozen run is of another kind', () => {
  expect(nameOf(run(2, event(1, 0.9), event(8, 0.3)))).toBe('NBS 2');
  expect(nameOf(run(2, event(1, 0.9), event(8, 0.3, true)))).toBe('NBS 2, frozen');
});

test('dots are the latest errors of each kind of run, in percent', () => {
  const dots = dotsOf(
    [run(2, event(8, 0.5)), run(2, event(8, 0.25)), run(4), run(2, event(4, 0.1, true))],
    8,
  );
  expect(dots.filter(({ key }) => key === 'population')).toEqual([
    { size: 2, key: 'population', error: 25, frozen: false, done: true },
    { size: 2, key: 'population', error: 10, frozen: true, done: false },
  ]);
});

test('marks are where a run was frozen, and thawed', () => {
  expect(changesOf(run(2, event(1, 0.9), event(5, 0.5, true), event(8, 0.4, true), event(9, 0.4)))).toEqual([
    { step: 5, text: 'frozen' },
    { step: 9, text: 'thawed' },
  ]);
  expect(changesOf(run(2, event(1, 0.9, true)))).toEqual([{ step: 1, text: 'frozen' }]);
});

test('a frozen network has no gap between training and inference', () => {
  expect(gapOf(event(8, 0.1))).toBeCloseTo(0.3, 10);
  expect(gapOf(event(8, 0.7))).toBeCloseTo(0.3, 10);
  expect(gapOf(event(8, 0.1, true))).toBe(0);
});
