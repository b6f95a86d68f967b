import { expect, test } from 'vitest';
import { changesOf, dotsOf, earlierRuns, nameOf, type SizeRun, withEvent } from './runs.ts';
import type { TrainEvent } from './settings.ts';

const event = (step: number, population: number, frozen = false): TrainEvent => ({
  step,
  loss: 1,
  frozen,
  errors: { training: 0.5, miniBatch: 0.4, population },
});
const run = (size: SizeRun['size'], ...points: TrainEvent[]): SizeRun => ({ size, seed: 1, points });

test('events go to the last run', () => {
  const runs = [run(2, event(1, 0.9)), run(4)];
  const after = withEvent(runs, event(1, 0.8));
  expect(after.map(({ points }) => points.length)).toEqual([1, 1]);
  expect(runs[1]?.points).toEqual([]);
  expect(withEvent([], event(1, 0.8))).toEqual([]);
});

test('ghosts are the last run of each kind, not those that never got anywhere', () => {
  const two = run(2, event(1, 0.9), event(8, 0.5));
  const again = run(2, event(1, 0.9), event(8, 0.4));
  const frozen = run(2, event(1, 0.9), event(8, 0.3, true));
  const eight = run(8, event(1, 0.9), event(8, 0.2));
  const current = run(8, event(1, 0.9), event(8, 0.1));
  const runs = [two, again, run(4, event(1, 0.9)), frozen, eight, current];
  expect(earlierRuns(runs, 5)).toEqual([again, frozen]);
  expect(earlierRuns(runs, 1)).toEqual([frozen]);
  expect(nameOf(frozen)).toBe('NBS 2, frozen');
  expect(earlierRuns([], 5)).toEqual([]);
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
