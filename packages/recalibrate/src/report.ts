/** What a recalibration did, as plain JSON. */

import type { BatchNormLayer } from '@rebatch/layers';
import { type Moments, MomentsError, relativeErrors, type StandardErrors } from '@rebatch/stats';
import { floorOf, type LayerAccumulator } from './accumulator.ts';
import type { RecalibrationMode } from './options.ts';
import { type MomentsSummary, summarizeChannels, summarizeShift } from './summaries.ts';

/** What one application of a layer saw. */
export interface ApplicationReport {
  /** Which call of the layer within one forward, from 0. */
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
   * logarithms (0.1 is about 10%). Null if the old ones are not finite.
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
  /** In the model's order. */
  readonly layers: readonly LayerReport[];
}

/** @param times milliseconds of each pass. */
export function reportLayer(
  accumulator: LayerAccumulator,
  old: Omit<Moments, 'count'>,
  estimate: Omit<Moments, 'count'> | undefined,
  times: readonly number[],
): LayerReport {
  const { layer, applications } = accumulator;
  const passes = new Set([...applications.values()].map(({ pass }) => pass));
  const list = [...applications].sort(([a], [b]) => a - b);
  return {
    name: layer.name,
    values: list.reduce((sum, [, { moments }]) => sum + moments.count, 0),
    shift: estimate ? shiftOf(layer, old, estimate) : null,
    standardErrors: estimate ? errorsOf(layer, accumulator.standardErrors(), accumulator.seen()) : null,
    passes: passes.size,
    milliseconds: [...passes].reduce((sum, pass) => sum + times[pass - 1]!, 0),
    applications: list.map(([application, { pass, moments, errors: own }]) => ({
      application,
      pass,
      values: moments.count,
      shift: shiftOf(layer, old, moments),
      standardErrors: errorsOf(layer, own.clusters < 2 ? undefined : own.standardErrors(), moments),
    })),
  };
}

function shiftOf(layer: BatchNormLayer, from: Omit<Moments, 'count'>, to: Omit<Moments, 'count'>) {
  try {
    return summarizeShift(from, to, floorOf(layer));
  } catch (error) {
    // Broken old statistics are a reason to recalibrate, not to refuse it; but there is no way to measure from them.
    if (error instanceof MomentsError) return null;
    throw error;
  }
}

function errorsOf(
  layer: BatchNormLayer,
  errors: StandardErrors | undefined,
  moments: Moments,
): MomentsSummary | null {
  if (errors === undefined) return null;
  const relative = relativeErrors(errors, moments, floorOf(layer));
  return { mean: summarizeChannels(relative.mean), variance: summarizeChannels(relative.variance) };
}
