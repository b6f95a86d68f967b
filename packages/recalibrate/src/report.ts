// What a recalibration did, as plain JSON.

import {
  type MeanAndVariance,
  type Moments,
  MomentsError,
  relativeErrors,
  type StandardErrors,
} from '@rebatch/stats';
import { type AccumulatedSite, floorOf, type SiteAccumulator } from './accumulator.ts';
import type { InputReport } from './inputs.ts';
import type { RecalibrationMode } from './options.ts';
import { type MomentsSummary, summarizeChannels, summarizeShift } from './summaries.ts';

/** What one application of a layer saw. */
export interface ApplicationReport {
  /** Which application of the layer within one forward, from 0. */
  readonly application: number;
  /** The pass that measured it, from 1. */
  readonly pass: number;
  /** Values per channel, spatial positions included. */
  readonly values: number;
  /** From the old statistics to what it saw: see {@link LayerReport.shift}. */
  readonly shift: MomentsSummary | null;
  /** See {@link LayerReport.standardErrors}. */
  readonly standardErrors: MomentsSummary | null;
}

/** What became of one layer. */
export interface LayerReport {
  readonly name: string;
  /** Values per channel that all its applications saw. */
  readonly values: number;
  /**
   * From the old to the new statistics, which a prior blends with the old. `mean` in old standard deviations, `variance` as a difference of natural
   * logarithms (0.1 is about 10%). Null if the old ones are not finite, or negative variances.
   */
  readonly shift: MomentsSummary | null;
  /**
   * Of the moments of the values seen, each batch one cluster: `mean` in standard deviations, `variance` as a
   * fraction of itself. Null with fewer than two batches.
   */
  readonly standardErrors: MomentsSummary | null;
  /** In how many passes it was measured. */
  readonly passes: number;
  /** Wall time of those passes; layers of the same pass share it. */
  readonly milliseconds: number;
  /** More than one for a shared layer; none for a layer that the model never applies, which is left as it was. */
  readonly applications: readonly ApplicationReport[];
}

/** What a recalibration did. Plain JSON. */
export interface RecalibrationReport {
  readonly mode: RecalibrationMode;
  /** The estimator's kind. */
  readonly estimator: string;
  /** The samples that the old statistics counted for. */
  readonly prior: number;
  /** Samples of the longest pass. All passes are equal unless `samples` was `'auto'`. */
  readonly samples: number;
  /** Batches of the longest pass. */
  readonly batches: number;
  /** Forward passes over the data. */
  readonly passes: number;
  /** Batches left out for non-finite activations. */
  readonly skipped: number;
  readonly milliseconds: number;
  /** For `samples: 'auto'`: what was asked, the worst layer's error, and whether it is within; else null. */
  readonly tolerance: { readonly asked: number; readonly worst: number | null; readonly met: boolean } | null;
  /** What the model was given, as the first batch has it. */
  readonly inputs: readonly InputReport[];
  /**
   * What makes the statistics less certain than they look, in plain sentences; empty if nothing does. How uncertain they
   * are, where the standard errors are large or cannot be known (a single batch); images of whole numbers, which were taken
   * unscaled.
   */
  readonly warnings: readonly string[];
  /** In the model's order. */
  readonly layers: readonly LayerReport[];
}

/** @param times milliseconds of each pass. */
export function reportLayer(
  accumulator: SiteAccumulator,
  old: MeanAndVariance,
  estimate: MeanAndVariance | undefined,
  times: readonly number[],
): LayerReport {
  const { site, applications } = accumulator;
  const passes = new Set([...applications.values()].map(({ pass }) => pass));
  const list = [...applications].sort(([a], [b]) => a - b);
  const standardErrors = estimate ? errorsOf(site, accumulator.standardErrors(), accumulator.seen()) : null;
  return {
    name: site.name,
    values: list.reduce((sum, [, { tally }]) => sum + tally.moments.count, 0),
    shift: estimate ? shiftOf(site, old, estimate) : null,
    standardErrors,
    passes: passes.size,
    milliseconds: [...passes].reduce((sum, pass) => sum + times[pass - 1]!, 0),
    applications: list.map(
      ([
        application,
        {
          pass,
          tally: { moments, errors: own },
        },
      ]) => ({
        application,
        pass,
        values: moments.count,
        shift: shiftOf(site, old, moments),
        // What the only application has seen is what the layer has.
        standardErrors:
          list.length === 1
            ? standardErrors
            : errorsOf(site, own.clusters < 2 ? undefined : own.standardErrors(), moments),
      }),
    ),
  };
}

function shiftOf(site: AccumulatedSite, from: MeanAndVariance, to: MeanAndVariance) {
  try {
    return summarizeShift(from, to, floorOf(site));
  } catch (error) {
    // Broken old statistics are a reason to recalibrate, not to refuse it; but there is no way to measure from them.
    if (error instanceof MomentsError) return null;
    throw error;
  }
}

function errorsOf(
  site: AccumulatedSite,
  errors: StandardErrors | undefined,
  moments: Moments,
): MomentsSummary | null {
  if (errors === undefined) return null;
  const relative = relativeErrors(errors, moments, floorOf(site));
  return { mean: summarizeChannels(relative.mean), variance: summarizeChannels(relative.variance) };
}
