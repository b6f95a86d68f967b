import type { Experiment } from '../experiment.ts';
import { emaVsPrecise } from './ema-vs-precise.ts';

/** Every experiment, in the paper's order. */
export const experiments: readonly Experiment[] = [emaVsPrecise];
