// Measuring a model as it is: every site normalizes by the statistics that it has.
import { normalize } from '@rebatch/core';
import type { LayerStatistics } from '@rebatch/models';
import { forward } from './forward.ts';
import { momentsOf } from './moments-of.ts';
import type { Pass, Run } from './pass.ts';

/**
 * How the only pass measures a batch.
 *
 * @param old the statistics that the sites have.
 */
export function storedMeasure({ model }: Run, old: readonly LayerStatistics[]): Pass['measure'] {
  // As long as it is not adapted, a folded site passes on what it gets.
  const passesOn = model.sites.map(
    ({ folded, epsilon }, site) => folded && epsilon === 0 && isStandard(old[site]!),
  );
  return (inputs) => {
    const stored = model.stored();
    return forward(model, inputs, ({ site, x, mask, over }) => {
      const options = model.sites[site]!.options();
      if (over !== undefined && passesOn[site]) return over.measure();
      // Measured before it is overwritten.
      const moments = momentsOf({ x, mask }, options);
      if (over !== undefined) return { moments, y: over.normalize(stored[site]!) };
      return { moments, y: passesOn[site] ? x : normalize(x, stored[site]!, options) };
    });
  };
}

function isStandard({ mean, variance }: LayerStatistics): boolean {
  return Array.from(mean).every((value) => value === 0) && Array.from(variance).every((value) => value === 1);
}
