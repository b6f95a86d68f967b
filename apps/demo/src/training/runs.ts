// The trainings of a visit, the current one last.

import type { ErrorPoint } from './three-errors.ts';

export interface TrainingRun<Point extends ErrorPoint = ErrorPoint> {
  readonly points: readonly Point[];
}

/** With a point added to the current run. */
export function withPoint<Point extends ErrorPoint, Run extends TrainingRun<Point>>(
  runs: readonly Run[],
  point: Point,
): readonly Run[] {
  const current = runs.at(-1);
  if (current === undefined) return runs;
  return [...runs.slice(0, -1), { ...current, points: [...current.points, point] }];
}

/** The latest of each kind of run before the current one, at most so many: what to draw behind it. */
export function earlierRuns<Run extends TrainingRun>(
  runs: readonly Run[],
  nameOf: (run: Run) => string,
  most: number,
): { name: string; points: Run['points'] }[] {
  const current = runs.at(-1);
  const latest = new Map<string, Run['points']>();
  for (const run of runs.slice(0, -1)) {
    // One point makes no curve.
    if (run.points.length < 2) continue;
    latest.delete(nameOf(run));
    latest.set(nameOf(run), run.points);
  }
  if (current !== undefined && current.points.length > 0) latest.delete(nameOf(current));
  return [...latest].slice(-most).map(([name, points]) => ({ name, points }));
}
