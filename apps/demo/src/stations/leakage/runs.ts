// The trainings of a visit, and how they are named and compared.

import type { TrainingRun } from '../../training/runs.ts';
import { type AuditEvent, type PointEvent, SCHEMES, type Scheme } from './settings.ts';

export interface LeakRun extends TrainingRun<PointEvent> {
  readonly audit?: AuditEvent;
}

/** Of a scheme, for people. */
export const shortOf = (scheme: Scheme): string =>
  SCHEMES.find(({ name }) => name === scheme)?.short ?? scheme;

/** Where the scheme was changed in a run. */
export function changesOf({ points }: LeakRun): { step: number; text: string }[] {
  return points.flatMap(({ step, scheme }, at) =>
    at === 0 || points[at - 1]?.scheme === scheme ? [] : [{ step, text: shortOf(scheme) }],
  );
}

/** The schemes of a run in their order. */
export function nameOf(run: LeakRun): string {
  const first = run.points[0];
  return [...(first ? [shortOf(first.scheme)] : []), ...changesOf(run).map(({ text }) => text)].join(' → ');
}
