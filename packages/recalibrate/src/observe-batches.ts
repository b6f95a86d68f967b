import type { NormalizedModel, RecalibrationData } from '@rebatch/models';
import { readStatistics } from '@rebatch/models/~internal';
import { SiteAccumulator } from './accumulator.ts';
import type { InputReport } from './inputs.ts';
import { runOnlyPass, withInputs } from './one-pass.ts';
import type { RecalibrationOptions } from './options.ts';
import type { PassTotals } from './pass.ts';
import { type EstimateFor, makeEstimators, priorsOf, startRun } from './start-run.ts';

/** What one pass over the data took in, and what the inputs were. */
export interface Observed extends PassTotals {
  readonly inputs: readonly InputReport[];
}

/**
 * Runs one pass, in mode `'batch'` or as the model is, for whoever observes it: nothing is estimated. With
 * `samples: 'auto'` it ends where `estimate` would. Throws as `estimate` does.
 *
 * @param who whose call it is, for messages.
 */
export async function observeBatches(
  who: string,
  model: NormalizedModel,
  data: RecalibrationData,
  options: Pick<RecalibrationOptions, 'samples' | 'tolerance' | 'signal' | 'onProgress'>,
  how: Pick<EstimateFor, 'observe' | 'outputs' | 'singleValueRemedy' | 'canSkip' | 'expected' | 'asStored'>,
): Promise<Observed> {
  const run = startRun(who, model, data, options, how);
  const old = await readStatistics(model);
  const priors = priorsOf(run, old, undefined);
  const accumulators =
    run.settings.samples === 'auto'
      ? makeEstimators(run).map((own, i) => new SiteAccumulator(model.sites[i]!, own, priors[i]!))
      : [];
  const [totals, inputs] = await withInputs(run, () =>
    runOnlyPass(run, accumulators, how.asStored ? old : undefined),
  );
  return { ...totals, inputs };
}
