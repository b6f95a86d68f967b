// The trainings of a visit, and how they are named and compared.

import type { TrainingRun } from '../../training/runs.ts';
import { ERROR_SERIES, type ThreeErrors } from '../../training/three-errors.ts';
import type { Size, TrainEvent } from './settings.ts';

export interface SizeRun extends TrainingRun<TrainEvent> {
  readonly size: Size;
}

/** Whether a run trained on frozen statistics last. */
export const endsFrozen = ({ points }: SizeRun): boolean => points.at(-1)?.frozen === true;

export const nameOf = (run: SizeRun): string => `NBS ${run.size}${endsFrozen(run) ? ', frozen' : ''}`;

/** How far apart the errors on the same new digits are, normalized as in training and as at inference. */
export function gapOf({ errors, frozen }: TrainEvent): number {
  // A frozen network trains on the statistics that it will run on.
  return frozen ? 0 : Math.abs(errors.miniBatch - errors.population);
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
