/** What an inspection found, as plain JSON. */
import type { ChannelSummary } from '@rebatch/recalibrate';

/**
 * How far apart two sets of statistics of one layer are. `mean` in standard deviations of the first; `variance` as a
 * difference of natural logarithms (0.1 is about 10%).
 */
export interface Shift {
  readonly mean: ChannelSummary;
  readonly variance: ChannelSummary;
  /**
   * Of this measurement, in the same units, root mean square over channels: what `rms` would be about by chance if
   * there were no shift. Batches are taken as independent of each other, values within one are not.
   */
  readonly standardErrors: { readonly mean: number; readonly variance: number };
  /** That the standard errors were estimated from. Below `ADVICE_THRESHOLDS.batches` they are no ground for advice. */
  readonly batches: number;
}

/** From the stored statistics to the precise ones. */
export interface StoredShift extends Shift {
  /** Symmetric KL divergence of the Gaussians, in nats (Jeffreys 1946): mean and largest over channels. */
  readonly symmetricKL: { readonly mean: number; readonly max: number };
  /** The sum of `symmetricKL.mean` over this layer and all before it, in nats. */
  readonly cumulativeKL: number;
}

/** How much mini-batch statistics vary from batch to batch; root mean square over channels (and applications). */
export interface BatchNoise {
  /** Standard deviation of the batch means, in population standard deviations. */
  readonly mean: number;
  /** Standard deviation of the batch variances, as a fraction of the population variance. */
  readonly variance: number;
  /** Standard errors of the two above, never below those of a Gaussian: the noise / sqrt(2 (batches - 1)). */
  readonly standardErrors: { readonly mean: number; readonly variance: number };
  /** 1 / mean^2: so many independent values per channel would make means as noisy. Null if there is no noise. */
  readonly effectiveValues: number | null;
  /** Full batches that it was measured from. */
  readonly batches: number;
}

/** What was found about one layer. */
export interface LayerInspection {
  readonly name: string;
  /** Its place among the batch normalization layers, in the model's order, from 0. */
  readonly depth: number;
  readonly channels: number;
  /** Values per channel in one normalization batch of full size. */
  readonly valuesPerBatch: number;
  /** How often the model applies it. */
  readonly applications: number;
  /** Null if the stored statistics are not usable, or the layer is never applied. */
  readonly shift: StoredShift | null;
  /** Null if the layer is never applied, or no two batches are of the same size. */
  readonly noise: BatchNoise | null;
  /**
   * From the layerwise to the mini-batch way of computing precise statistics, on the same samples: the error that the
   * layers before have added by normalizing with mini-batches (estimation shift, Huang et al. 2022). Null if not
   * measured: see {@link InspectionReport.accumulation}.
   */
  readonly estimationShift: Shift | null;
  /** From the stored to the layerwise statistics; null like the one above. */
  readonly layerwiseShift: Shift | null;
}

/** How the estimation shift goes with depth. */
export interface Accumulation {
  /** That were measured layer by layer. */
  readonly samples: number;
  readonly batches: number;
  /** Least-squares slopes of the layers' `estimationShift` rms over depth: what one more layer adds. Same units. */
  readonly perLayer: { readonly mean: number; readonly variance: number };
}

/** An error, from 0 to 1, and its standard error (never below 1 / samples: rule of three). */
export interface ErrorRate {
  readonly error: number;
  readonly standardError: number;
}

/** The errors on the held-out batches, all on the same samples. */
export interface ErrorComparison {
  readonly samples: number;
  readonly batches: number;
  /** Under the statistics that the model holds: the EMA of its training. */
  readonly stored: ErrorRate;
  /** Under statistics of the other batches, as mode `'batch'` of `recalibrate` computes them. */
  readonly precise: ErrorRate;
  /** As mode `'layerwise'` does; null if not measured. */
  readonly layerwise: ErrorRate | null;
  /** Each batch normalized by itself. */
  readonly batch: ErrorRate;
  /** Differences of the above, with standard errors of the differences: samples are compared one by one. */
  readonly differences: {
    readonly storedMinusPrecise: ErrorRate;
    readonly preciseMinusBatch: ErrorRate;
    readonly storedMinusLayerwise: ErrorRate | null;
    readonly preciseMinusLayerwise: ErrorRate | null;
    readonly layerwiseMinusBatch: ErrorRate | null;
  };
}

/**
 * - `'recalibrate'`: the stored statistics are not those of the data;
 * - `'recalibrate-layerwise'`: the batches are too small to compute statistics with;
 * - `'larger-normalization-batches'`: mini-batch statistics are too noisy to train with;
 * - `'freeze'`: the model relies on mini-batch statistics, which it will not have at inference;
 * - `'nothing-to-gain'`: none of these, and measured well enough to say so;
 * - `'measure-more'`: none of these is certain, and none can be ruled out.
 */
export type AdviceKind =
  | 'recalibrate'
  | 'recalibrate-layerwise'
  | 'larger-normalization-batches'
  | 'freeze'
  | 'nothing-to-gain'
  | 'measure-more';

/** One piece of advice and what it rests on. */
export interface Advice {
  readonly advice: AdviceKind;
  /** In plain words. */
  readonly text: string;
  /** Where to read about it. */
  readonly section: string;
  /** The measured numbers, by path in the report (layers by name), and the thresholds that they were held against. */
  readonly evidence: Readonly<Record<string, number | string | null>>;
}

/** What `inspect` returns. Plain JSON. */
export interface InspectionReport {
  readonly model: string;
  readonly backend: string;
  readonly samples: number;
  readonly batches: number;
  /** Samples per full batch: the most frequent size. */
  readonly batchSize: number;
  readonly seconds: number;
  /** In the model's order. */
  readonly layers: readonly LayerInspection[];
  /** Null if fewer than two batches could be measured layer by layer: too few, or too large to run together. */
  readonly accumulation: Accumulation | null;
  /** Null without labels. */
  readonly errors: ErrorComparison | null;
  readonly advice: readonly Advice[];
}
