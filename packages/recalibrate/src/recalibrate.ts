// PreciseBN on a whole model.
import { type AnyModel, modelOf, type NormalizedModel, type RecalibrationData } from '@rebatch/models';
import { writeStatistics } from '@rebatch/models/~internal';
import { type Estimated, estimate } from './estimate.ts';
import type { StatisticsEstimate } from './finish.ts';
import type { RecalibrationOptions } from './options.ts';
import { checkRunning } from './pass.ts';
import type { RecalibrationReport } from './report.ts';
import type { EstimateFor } from './start-run.ts';

/**
 * Recomputes the population statistics of all sites of a model (batch normalization layers, stock or converted), from data,
 * with its weights as they are (PreciseBN: Wu & Johnson 2021, Sec. 3). Sequential and functional models, nested
 * models, wrappers, and layers that are applied more than once: their applications' moments are merged for the shared
 * statistics (each application is one update of the estimator), and reported apart.
 *
 * Mode `'batch'` normalizes by the batch at hand while it measures, as the paper does: one pass; the batch size
 * should be that of training, and small ones add their errors up with depth. Mode `'layerwise'` measures each layer
 * behind layers that already use their new statistics: one pass per level of depth, the exact statistics of the
 * network that will run at inference, whatever the batch size. Where a layer's input depends on an earlier
 * application of itself, there is no such order, and the later application is measured with the earlier one on the
 * statistics merged so far.
 *
 * The model runs as at inference (dropout off) and is written to once, at the end. If anything fails or the signal
 * aborts, it is bit by bit as it was.
 *
 * @throws (rejects) with the signal's reason, or one of this package's errors: for a model without batch
 *   normalization, data that is empty, too short or does not fit, non-finite activations, a switched backend, or an
 *   estimator that gives unusable statistics. {NormalizationBatchError} of `@rebatch/core` in mode `'batch'` for a
 *   batch with one value per channel.
 */
export async function recalibrate(
  model: AnyModel,
  data: RecalibrationData,
  options: RecalibrationOptions = {},
): Promise<RecalibrationReport> {
  return recalibrateFor('recalibrate', modelOf('recalibrate', model), data, options);
}

/**
 * The same for siblings, with what they may ask beyond the options.
 *
 * @param who whose call it is, for messages.
 */
export async function recalibrateFor(
  who: string,
  model: NormalizedModel,
  data: RecalibrationData,
  options: RecalibrationOptions,
  how?: EstimateFor,
): Promise<RecalibrationReport> {
  return writeEstimate(model, await estimate(who, model, data, options, how));
}

/** The one write at the end. */
export function writeEstimate(
  model: NormalizedModel,
  { run, accumulators, statistics, report }: Estimated,
): RecalibrationReport {
  checkRunning(run);
  writeStatistics(
    model,
    accumulators.map(({ applications }, i) => (applications.size > 0 ? statistics[i] : undefined)),
  );
  return report;
}

/**
 * What `recalibrate` would write, without writing it: for comparing estimators or sample counts, or in the middle of
 * training. Same arguments, same errors.
 */
export async function estimateStatistics(
  model: AnyModel,
  data: RecalibrationData,
  options: RecalibrationOptions = {},
): Promise<StatisticsEstimate> {
  const who = 'estimateStatistics';
  const { statistics, report } = await estimate(who, modelOf(who, model), data, options);
  return { statistics, report };
}
