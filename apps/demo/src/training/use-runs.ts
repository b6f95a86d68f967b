// The trainings of a visit, for the pages that compare them by the three errors.

import { useComputed, useSignal } from '@preact/signals';
import { earlierRuns, type TrainingRun, withPoint } from './runs.ts';
import type { ErrorPoint } from './three-errors.ts';

/** Earlier runs that are drawn behind the current one, at most. */
const GHOSTS = 2;
const NO_POINTS: readonly never[] = [];

export interface RunWords<Run> {
  /** A run's kind; of each kind the latest run is compared. */
  nameOf(run: Run): string;
  /** Where something was changed in a run. */
  changesOf(run: Run): { step: number; text: string }[];
}

export function useRuns<Point extends ErrorPoint, Run extends TrainingRun<Point>>(words: RunWords<Run>) {
  const all = useSignal<readonly Run[]>([]);
  const current = useComputed(() => all.value.at(-1));
  return {
    all,
    current,
    latest: useComputed<Point | undefined>(() => current.value?.points.at(-1)),
    /** What the chart of the three errors shows. */
    chart: useComputed(() => ({
      points: current.value?.points ?? NO_POINTS,
      earlier: earlierRuns(all.value, words.nameOf, GHOSTS),
      marks: current.value === undefined ? [] : words.changesOf(current.value),
    })),
    start(run: Run) {
      all.value = [...all.value, run];
    },
    add(point: Point) {
      all.value = withPoint(all.value, point);
    },
    /** Adds to what is known of the current run. */
    note(values: Partial<Run>) {
      all.value = all.value.map((run, at) => (at === all.value.length - 1 ? { ...run, ...values } : run));
    },
    clear() {
      all.value = [];
    },
  };
}
