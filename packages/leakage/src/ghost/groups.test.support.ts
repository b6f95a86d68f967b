// Not published.
import type { NormalizationBatches } from '@rebatch/layers';

/** The group of each sample, also where equal runs have no numbers. */
export function groupOfEach(samples: number, { count, of }: NormalizationBatches): number[] {
  if (of !== undefined) return [...of];
  return Array.from({ length: samples }, (_, sample) => Math.floor((sample * count) / samples));
}
