// Statistics that were stored in 8 or 16 bits, moved to where data says within half a step of their grid.
import { type Estimator, populationVariance } from '@rebatch/estimators';
import { type AnyModel, modelOf, type RecalibrationData } from '@rebatch/models';
import { readStatistics, writeStatistics } from '@rebatch/models/~internal';
import type { RecalibrationProgress } from '@rebatch/recalibrate';
import { checkUnfolded, estimate, recalibrationRules } from '@rebatch/recalibrate/~internal';
import { normalizedShift } from '@rebatch/stats';
import { checkOptions, either, integer, type OptionRules, oneOf } from '@rebatch/stats/~internal';
import { InspectionOptionError, NotQuantizedError } from './errors.ts';
import type { QuantizedSpec } from './faults/grid.ts';
import { gridsOf, type StatisticsGrids, withinHalfStep } from './faults/quantization.ts';
import { weightSpecsRule } from './options.ts';

/** Options of `repairQuantization`. */
export interface RepairOptions {
  /**
   * The weight specs of the artifacts that the model was loaded from, which say how its statistics were quantized. Default:
   * where statistics lie on a grid, their values show it.
   */
  readonly weightSpecs?: readonly QuantizedSpec[];
  /** How many samples to measure: `'all'` (default), or a number. */
  readonly samples?: number | 'all';
  /** As for `recalibrate`: bytes of activations that may be kept between passes. */
  readonly activationBytes?: number;
  /** Ends the call with `signal.reason`; the model stays as it was. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (progress: RecalibrationProgress) => void;
}

/** What was repaired, as plain JSON. */
export interface RepairReport {
  readonly samples: number;
  /** Those whose statistics lie on a grid, in the model's order. */
  readonly layers: readonly RepairedLayer[];
}

/** One layer. */
export interface RepairedLayer {
  readonly name: string;
  readonly dtype: 'uint8' | 'uint16';
  /** Channels with a mean or a variance that moved. */
  readonly moved: number;
  /** Variances that were stored as 0 and are no more. */
  readonly zeros: number;
  /** The largest moves: of a mean in the deviations that it has now, of a variance as a difference of natural logarithms. */
  readonly largest: { readonly mean: number; readonly variance: number };
}

const { activationBytes, signal, onProgress } = recalibrationRules;
const RULES: OptionRules<RepairOptions> = {
  weightSpecs: weightSpecsRule,
  samples: either(integer({ least: 1 }), oneOf('all')),
  activationBytes,
  signal,
  onProgress,
};

/**
 * Repairs population statistics that were stored in 8 or 16 bits. What they were is within half a step of what is stored;
 * each moves there to the value that is closest to what data gives, measured behind layers that are repaired already (as
 * mode `'layerwise'` of `recalibrate`). A variance that became 0 gets what the data has, half a step at most. So statistics
 * stay those of training as far as they are known, whatever the data is; where it is as in training, they come back.
 *
 * Gamma and beta, and all other weights, stay as they are. The model is written to once, at the end, all layers or none.
 *
 * @param model whose statistics lie on a uniform grid, of `weightSpecs` or of what they show; any model of
 *   `@rebatch/models`.
 * @param data inputs, as for `recalibrate`; labels are ignored. A few dozen are enough to tell 0 from something.
 * @throws (rejects) with the signal's reason, or the errors of `recalibrate` about models and data. {NotQuantizedError} if no
 *   statistics lie on a grid. {InspectionOptionError} for an option that does not exist or is out of its range.
 */
export async function repairQuantization(
  model: AnyModel,
  data: RecalibrationData,
  options: RepairOptions = {},
): Promise<RepairReport> {
  const who = 'repairQuantization';
  const subject = modelOf(who, model);
  checkOptions(who, options, RULES, InspectionOptionError);
  checkUnfolded(subject);
  const { weightSpecs, ...rest } = options;
  const stored = await readStatistics(subject);
  const grids = gridsOf(stored, weightSpecs);
  if (!grids.some((own) => own)) {
    throw new NotQuantizedError(
      `${who}: expected statistics of model '${subject.name}' that were quantized to uint8 or uint16, got ` +
        `${weightSpecs ? 'weight specs that name none' : 'values that lie on no uniform grid'}. ` +
        `${weightSpecs ? "Pass the weightSpecs of the model's own artifacts" : 'Pass weightSpecs, if they are known'}; or ` +
        'use recalibrate(model, data) of @rebatch/recalibrate.',
    );
  }
  // One is made for each site, in the model's order.
  let next = 0;
  const estimator = () => {
    const at = next++;
    return within(stored[at]!, grids[at]);
  };
  const asked = { ...rest, mode: 'layerwise' as const, estimator };
  const { statistics, report } = await estimate(who, subject, data, asked, { canSkip: false });
  const layers = statistics.flatMap((own, i) => {
    const grid = grids[i];
    return grid ? [repairedLayer(stored[i]!, own, grid, subject.sites[i]!.epsilon)] : [];
  });
  // A site that the data did not reach keeps what it has.
  writeStatistics(
    subject,
    statistics.map((own, i) => (own.count > 0 && grids[i] ? own : undefined)),
  );
  return { samples: report.samples, layers };
}

type Stored = Awaited<ReturnType<typeof readStatistics>>[number];

/** PreciseBN that stays where quantization may have come from; sites on no grid stay where they are. */
function within(stored: Stored, grids: StatisticsGrids | undefined): Estimator {
  const inner = populationVariance();
  return {
    kind: inner.kind,
    update: (batch) => inner.update(batch),
    estimate() {
      const measured = inner.estimate();
      return { count: measured.count, ...(grids ? withinHalfStep(stored, measured, grids) : stored) };
    },
    toJSON: () => inner.toJSON(),
  };
}

function repairedLayer(
  stored: Stored,
  repaired: Pick<Stored, 'mean' | 'variance'>,
  grids: StatisticsGrids,
  epsilon: number,
): RepairedLayer {
  const floor = epsilon > 0 ? { epsilon } : {};
  // Seen from the new statistics: the deviations of the old ones may be 0.
  const shift = normalizedShift(repaired, stored, floor);
  const largest = (values: Float64Array) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const channels = Array.from(stored.mean, (_, c) => c);
  return {
    name: stored.name,
    dtype: (grids.variance ?? grids.mean)!.dtype,
    moved: channels.filter(
      (c) => repaired.mean[c] !== stored.mean[c] || repaired.variance[c] !== stored.variance[c],
    ).length,
    zeros: channels.filter((c) => stored.variance[c] === 0 && repaired.variance[c]! > 0).length,
    largest: { mean: largest(shift.mean), variance: largest(shift.variance) },
  };
}
