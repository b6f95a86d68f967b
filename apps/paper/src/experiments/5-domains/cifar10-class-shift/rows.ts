// What is measured where a network is adapted on photographs of one class alone.

import { bySeed, errorWith, rowsWith } from '../../../rows/rows.ts';

/** Ways to statistics from a stream of one class. */
export const WAYS = [
  'plain',
  'prior 8',
  'prior as large',
  'reference, all classes',
  'reference, same class',
] as const;
export type Way = (typeof WAYS)[number];

/** What was there before, and what needs no stream. */
export const SOURCE = 'source';
export const MINI_BATCH = 'mini-batch';

/** An error on test photographs of all classes: the average over the classes that the stream may be of. */
export interface Row {
  readonly seed: number;
  /** What is done to the stream and to the test photographs: 'none', or a corruption and its severity. */
  readonly shift: string;
  readonly way: Way | typeof SOURCE | typeof MINI_BATCH;
  /** Photographs of the stream; 0 where there is none. */
  readonly samples: number;
  /** 0 to 1. */
  readonly error: number;
  /** The error after the class that was worst to adapt on. */
  readonly worst: number;
}

/** One value per seed. */
export function errorsOf(rows: readonly Row[], fields: Partial<Row>): number[] {
  return bySeed(rowsWith(rows, fields)).map((own) => errorWith(own, {}));
}
