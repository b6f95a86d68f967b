// Which statistics are at work in a layer of several domains.
import type { CallArguments } from '@rebatch/layers';
import { DomainLayerError } from '../errors.ts';
import type { ResolvedSettings } from './config.ts';
import type { Slot, Slots } from './slots.ts';

/** One call of a layer of several domains. */
export interface DomainCall {
  readonly name: string;
  readonly settings: ResolvedSettings;
  readonly slots: Slots;
  readonly kwargs: CallArguments;
}

/** Whether the slots normalize by the batch, by the population, or are watched by a tool that decides by itself. */
export function statisticsAtWork({ name, slots, kwargs }: DomainCall): 'batch' | 'population' | 'watched' {
  const training = kwargs.training === true;
  // Tools stand in for a layer's call, and see inference only.
  if (!training && slots.populations.some((slot) => Object.hasOwn(slot, 'call'))) return 'watched';
  const [first, ...others] = slots.populations.map((slot) => settingAtWork(slot, training));
  const other = others.findIndex((setting) => setting !== first);
  if (other < 0) return first!.startsWith('batch') ? 'batch' : 'population';
  throw new DomainLayerError(
    `Layer '${name}': expected one setting of the statistics for all domains that one call normalizes, got ${first} for ` +
      `'${slots.populations[0]!.name}' and ${others[other]} for '${slots.populations[other + 1]!.name}'.`,
  );
}

function settingAtWork({ frozen, trainingStatistics, inferenceStatistics }: Slot, training: boolean): string {
  if (frozen !== undefined) return `population, frozen with its affine ${frozen.affine}`;
  return training ? trainingStatistics : inferenceStatistics;
}
