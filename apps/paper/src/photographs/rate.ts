// The learning rate of a step: the policy of a training.

import { oneCycle } from './one-cycle.ts';

export interface RateSettings {
  /** The highest rate of the cycle. */
  readonly peak: number;
  /** Instead of the cycle, the peak throughout. */
  readonly schedule?: 'constant';
  /** The share of the steps that come after the cycle, at one rate. Default none. */
  readonly afterwards?: { readonly share: number; readonly rate: number };
}

/** @param step 0 to steps - 1. */
export function rateOf(settings: RateSettings, step: number, steps: number): number {
  const { peak, schedule, afterwards } = settings;
  if (schedule === 'constant') return peak;
  const cycle = stepsOfCycle(settings, steps);
  return step < cycle ? oneCycle(peak, step, cycle) : afterwards!.rate;
}

/** How many of the steps make up the cycle. */
export function stepsOfCycle({ afterwards }: Pick<RateSettings, 'afterwards'>, steps: number): number {
  return afterwards === undefined ? steps : Math.round((1 - afterwards.share) * steps);
}
