// The trainings of a visit: what is compared.
import { ERROR_SERIES, type ThreeErrors } from '../../three-errors/errors.ts';
import type { Size, TrainEvent } from './settings.ts';

export interface SizeRun {
  readonly size: Size;
  readonly seed: number;
  readonly points: readonly TrainEvent[];
}

/** Whether a run trained on frozen statistics last. */
export const endsFrozen = ({ points }: SizeRun): boolean => points.at(-1)?.frozen === true;

export const nameOf = (run: SizeRun): string => `NBS ${run.size}${endsFrozen(run) ? ', frozen' : ''}`;

/** An event added to the run that it belongs to: the last one. */
export function withEvent(runs: readonly SizeRun[], event: TrainEvent): readonly SizeRun[] {
  const current = runs.at(-1);
  if (current === undefined) return runs;
  return [...runs.slice(0, -1), { ...current, points: [...current.points, event] }];
}

/** The latest runs before the current one that got anywhere, of each kind only the last, at most so many. */
export function earlierRuns(runs: readonly SizeRun[], most: number): SizeRun[] {
  const current = runs.at(-1);
  const byName = new Map<string, SizeRun>();
  for (const run of runs.slice(0, -1)) {
    if (run.points.length < 2) continue;
    byName.delete(nameOf(run));
    byName.set(nameOf(run), run);
  }
  if (current !== undefined && current.points.length > 0) byName.delete(nameOf(current));
  return [...byName.values()].slice(-most);
}

/** One error of one kind of run. */
export interface SizeDot {
  readonly size: Size;
  readonly key: keyof ThreeErrors;
  /** In percent. */
  readonly error: number;
  readonly frozen: boolean;
  /** Whether the run came to its end. */
  readonly done: boolean;
}

/** Where each kind of run is by now: its latest errors. */
export function dotsOf(runs: readonly SizeRun[], steps: number): SizeDot[] {
  const latest = new Map(runs.filter(({ points }) => points.length > 0).map((run) => [nameOf(run), run]));
  return [...latest.values()].flatMap(({ size, points }) => {
    const { step, errors, frozen } = points.at(-1) as TrainEvent;
    return ERROR_SERIES.map(({ key }) => ({
      size,
      key,
      error: 100 * errors[key],
      frozen,
      done: step === steps,
    }));
  });
}

/** The steps at which a run was frozen or thawed. */
export function changesOf({ points }: SizeRun): { step: number; text: string }[] {
  return points.flatMap(({ step, frozen }, at) => {
    if (frozen === (at > 0 && points[at - 1]?.frozen)) return [];
    return [{ step, text: frozen ? 'frozen' : 'thawed' }];
  });
}
