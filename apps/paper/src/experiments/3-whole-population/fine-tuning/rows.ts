// What is measured: fine-tuned networks on the statistics that training left, and on recalibrated ones.

import type { ConditionRow } from '../../../rows/conditions.ts';
import { ascending } from '../../../rows/rows.ts';

/** On which statistics a fine-tuned network runs. */
export const MEASURES = ['as trained', 'recalibrated'] as const;
export const [AS_TRAINED, RECALIBRATED] = MEASURES;

/** How a network is fine-tuned: by batch statistics with an EMA, or with frozen BN layers. */
export const emaName = (momentum: number) => `EMA ${momentum}`;
export const FROZEN = 'frozen';
/** At the learning rate that batch statistics do best with. */
export const FROZEN_FAST = 'frozen, larger rate';

/** A share of test digits of the new classes that are misclassified, 0 to 1. */
export interface Row extends ConditionRow {
  readonly measure: (typeof MEASURES)[number];
}

/** The momentums of the rows with an EMA, from the smallest to the largest. */
export function momentumsOf(rows: readonly Row[]): number[] {
  const found = rows.flatMap(({ condition }) => /^EMA (.*)$/.exec(condition)?.[1] ?? []);
  return ascending(found.map(Number));
}
