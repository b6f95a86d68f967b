import { expect, test } from 'vitest';
import { earlierRuns, type TrainingRun, withPoint } from './runs.ts';
import type { ErrorPoint } from './three-errors.ts';

const point = (step: number): ErrorPoint => ({
  step,
  errors: { training: 0.5, miniBatch: 0.4, population: 0.3 },
});
const run = (name: string, ...steps: number[]) => ({ name, points: steps.map(point) });
const nameOf = (of: TrainingRun) => (of as ReturnType<typeof run>).name;

test('points go to the current run', () => {
  const runs = [run('a', 1), run('b')];
  expect(withPoint(runs, point(8)).map(({ points }) => points.map(({ step }) => step))).toEqual([[1], [8]]);
  expect(runs[1]?.points).toEqual([]);
  expect(withPoint([], point(8))).toEqual([]);
});

test('behind the current run is the latest of each other kind that got anywhere', () => {
  const runs = [run('a', 1, 8), run('b', 1, 8), run('a', 1, 16), run('c', 1), run('d', 1, 8), run('d', 1)];
  const names = (most: number) =>
    earlierRuns(runs, nameOf, most).map(({ name, points }) => `${name} ${points.at(-1)?.step}`);
  expect(names(5)).toEqual(['b 8', 'a 16']);
  expect(names(1)).toEqual(['a 16']);
  // A run that has not begun does not hide the one before it.
  expect(earlierRuns([...runs, run('a')], nameOf, 5).map(({ name }) => name)).toEqual(['b', 'a', 'd']);
  expect(earlierRuns([], nameOf, 5)).toEqual([]);
});
