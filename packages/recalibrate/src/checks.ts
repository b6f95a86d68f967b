// What a model and its data have to be, to be recalibrated.
import { InvalidDataError, type NormalizedModel } from '@rebatch/models';
import type { Source } from '@rebatch/models/~internal';
import {
  FoldedStatisticsError,
  InsufficientDataError,
  RecalibrationOptionError,
  StatefulModelError,
} from './errors.ts';
import type { Settings } from './options.ts';
import type { PassTotals, Run } from './pass.ts';

/**
 * What the statistics of folded sites were is not known, so that nothing can be put in their place.
 *
 * @throws {FoldedStatisticsError} if the model has one.
 */
export function checkUnfolded({ name, sites }: NormalizedModel): void {
  const site = sites.find(({ folded }) => folded);
  if (site === undefined) return;
  throw new FoldedStatisticsError(
    `Site '${site.name}' of model '${name}': its statistics are folded into its weights, so they cannot be recomputed, only ` +
      'matched to inputs that the model works on. Use adapt(model, data, { reference }) of @rebatch/domains, with what ' +
      'captureReference measured; or leave such sites out where others are to be recalibrated: ' +
      'graphModel(model, { leaveOut: (_, { folded }) => folded }).',
  );
}

/** Forwards would change the state, and batches would be measured in the state that those before them left. */
export function checkStateless({ name, stateful }: NormalizedModel): void {
  if (stateful === undefined) return;
  throw new StatefulModelError(
    `Layer '${stateful}' of model '${name}' is stateful: recalibration would change its state, and the ` +
      'statistics would depend on the order of the batches. Recalibrate the same model built with stateful: false ' +
      'and move the statistics with captureStatistics and applyStatistics.',
  );
}

export function checkSource(source: Source | undefined, { mode, samples }: Settings): void {
  if (source === undefined && typeof samples === 'number') {
    throw new RecalibrationOptionError(
      `Option samples: expected 'all' or 'auto' where batches are measured elsewhere, got ${samples}. Give shards of as ` +
        'many samples.',
    );
  }
  if (source === undefined) return;
  if (mode === 'layerwise' && !source.repeatable) {
    throw new InvalidDataError(
      "Mode 'layerwise' reads the data once per pass, but a generator or iterator can be read only once. " +
        "Pass an array, a tf.data.Dataset, or an object whose [Symbol.iterator] starts anew; or use mode 'batch'.",
    );
  }
  if (samples === 'all' && source.endless) {
    throw new InvalidDataError(
      "The dataset repeats for ever, so samples: 'all' would never end. Say how many samples, or 'auto'.",
    );
  }
}

/** Data that shrinks or grows between passes is not one population. */
export function checkSameData({ settings }: Run, totals: readonly PassTotals[]): void {
  const [first, last] = [totals[0]!, totals.at(-1)!];
  if (settings.samples !== 'all' || settings.nonFinite === 'skip' || first.samples === last.samples) return;
  throw new InsufficientDataError(
    `Expected pass ${totals.length} to read the same data as pass 1, ${first.samples} samples, got ${last.samples}. ` +
      'Data for several passes must start anew each time.',
  );
}
