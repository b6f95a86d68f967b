// Which statistics are at work in a layer of several domains.
import type { CallArguments } from '@rebatch/layers';
import { isStoodInFor } from '@rebatch/layers/~internal';
import { DomainLayerError } from '../errors.ts';
import type { ResolvedSettings } from './config.ts';
import type { InnerLayer, InnerLayers } from './inner-layers.ts';

/** One call of a layer of several domains. */
export interface DomainCall {
  readonly name: string;
  readonly settings: ResolvedSettings;
  readonly inner: InnerLayers;
  readonly kwargs: CallArguments;
}

/** Whether the inner layers normalize by the batch, by the population, or are watched by a tool that decides by itself. */
export function statisticsAtWork({ name, inner, kwargs }: DomainCall): 'batch' | 'population' | 'watched' {
  const training = kwargs.training === true;
  // Tools stand in for a layer, and see inference only.
  if (!training && inner.populations.some(isStoodInFor)) return 'watched';
  const [first, ...others] = inner.populations.map((layer) => settingAtWork(layer, training));
  const other = others.findIndex((setting) => setting !== first);
  if (other < 0) return first!.startsWith('batch') ? 'batch' : 'population';
  throw new DomainLayerError(
    `Layer '${name}': expected one setting of the statistics for all domains that one call normalizes, got ${first} for ` +
      `'${inner.populations[0]!.name}' and ${others[other]} for '${inner.populations[other + 1]!.name}'.`,
  );
}

function settingAtWork(
  { frozen, trainingStatistics, inferenceStatistics }: InnerLayer,
  training: boolean,
): string {
  if (frozen !== undefined) return `population, frozen with its affine ${frozen.affine}`;
  return training ? trainingStatistics : inferenceStatistics;
}
