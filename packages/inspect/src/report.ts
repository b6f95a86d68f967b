// What an inspection found, as plain JSON.
import type { ChannelSummary, InputReport } from '@rebatch/recalibrate';

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
  /** Full batches that it was measured from, whatever the shapes of their samples. */
  readonly batches: number;
}

/**
 * Statistics that were stored in 8 or 16 bits: they lie on a grid, and what they were is known to half a step of it only.
 */
export interface Quantization {
  readonly dtype: 'uint8' | 'uint16';
  /** Of the means' grid, in their units; null if they lie on none. */
  readonly meanStep: number | null;
  readonly varianceStep: number | null;
  /** Channels whose variance is stored as 0. */
  readonly zeroVariances: number;
  /**
   * Channels that this data moves, within half a step, by more than `ADVICE_THRESHOLDS` allow: what the layer computes there
   * is a matter of rounding. 0 if too few batches stand behind it to tell.
   */
  readonly damaged: number;
  /** From the statistics that `repairQuantization` would give to the precise ones; null if that cannot be said. */
  readonly repairedShift: Shift | null;
}

/** A channel that hardly carries a signal: see `nearDead`. */
export interface NearDeadChannel {
  readonly channel: number;
  /**
   * `'still'`: its input hardly varies, compared with epsilon; `'gamma'`: it is scaled to almost nothing; `'negative'`: its
   * output lies below 0 by four deviations, and a ReLU alone reads it, which passes nothing on.
   */
  readonly why: 'still' | 'gamma' | 'negative';
}

/** How the deviations of all channels differ from the stored ones. */
export interface InputScale {
  /** By which factor, the geometric mean over channels. */
  readonly factor: number;
  /** Standard deviation over channels of the factor's natural logarithm: 0 if all inputs were multiplied by one number. */
  readonly spread: number;
}

/** How far the moving average of training has come. */
export interface MovingAverage {
  /** What it began with: the initial means of 0 and variances of 1, or what option `before` says. */
  readonly from: 'initial' | 'before';
  /** The part of that which is still in the stored statistics, from 0 to 1; the rest is this data's. */
  readonly remaining: number;
  /** How much of the squared distance from the stored statistics to this data's that explains, over all layers, from 0 to 1. */
  readonly explained: number;
  /**
   * What it does not explain, root mean square over channels: of means in standard deviations, of variances as differences
   * of logarithms.
   */
  readonly residual: number;
  /** Of the layers; null if they have none, or several. */
  readonly momentum: number | null;
  /** Training steps after which so much remains; null without a momentum. */
  readonly steps: number | null;
}

/** What was found about one layer. */
export interface LayerInspection {
  readonly name: string;
  /** Its place among the batch normalization layers, in the model's order, from 0. */
  readonly depth: number;
  readonly channels: number;
  /** Values per channel in one normalization batch of full size; where samples differ in shape, of the most frequent one. */
  readonly valuesPerBatch: number;
  /** How often the model applies it. */
  readonly applications: number;
  /** Whether the stored statistics are those that every layer begins with, means of 0 and variances of 1: nobody trained it. */
  readonly untouched: boolean;
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
  /** Null unless the stored statistics lie on the grid of 8 or 16 bits, by option `weightSpecs` or else by what they show. */
  readonly quantization: Quantization | null;
  /** In order. */
  readonly nearDead: readonly NearDeadChannel[];
  /** Null if fewer than four channels tell. */
  readonly inputScale: InputScale | null;
  /**
   * With option `reference`: from what the layer normalized of the reference inputs to what it normalizes of these, both
   * behind the stored statistics. Null without, and for a layer that either did not reach.
   */
  readonly drift: Shift | null;
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
  /** Under those that `repairQuantization` would give; null unless statistics lie on a grid. */
  readonly repaired: ErrorRate | null;
  /** Differences of the above, with standard errors of the differences: samples are compared one by one. */
  readonly differences: {
    readonly storedMinusPrecise: ErrorRate;
    readonly preciseMinusBatch: ErrorRate;
    readonly storedMinusLayerwise: ErrorRate | null;
    readonly preciseMinusLayerwise: ErrorRate | null;
    readonly layerwiseMinusBatch: ErrorRate | null;
    readonly storedMinusRepaired: ErrorRate | null;
  };
}

/** With option `reference`: errors on the held-out batches, as the model is and as `adapt` with the reference would leave it. */
export interface DriftErrors {
  readonly samples: number;
  readonly batches: number;
  readonly stored: ErrorRate;
  readonly matched: ErrorRate;
  /** Of the two, sample by sample. */
  readonly storedMinusMatched: ErrorRate;
}

/**
 * - `'check-preprocessing'`: the inputs are not what the model was trained on, by more than a domain shift could be, or by
 *   the factor between two ways of scaling pixels;
 * - `'repair-quantization'`: statistics were stored in too few bits, and data tells what rounding has hidden;
 * - `'keep-statistics'`: the stored statistics are not those of the data, and yet better: the weights were trained with
 *   them;
 * - `'recalibrate'`: the stored statistics are not those of the data, and held-out errors do not speak against the latter;
 * - `'lower-momentum'`: beside `'recalibrate'`: the statistics are still in part what training began with;
 * - `'adapt'`: inputs are not like those of the reference, and held-out errors do not speak against matching them to it;
 * - `'recalibrate-layerwise'`: the batches are too small to compute statistics with;
 * - `'larger-normalization-batches'`: mini-batch statistics are too noisy to train with;
 * - `'freeze'`: the model relies on mini-batch statistics, which it will not have at inference;
 * - `'near-dead-channels'`: beside others: channels that carry no signal, which no statistics mend;
 * - `'nothing-to-gain'`: none of these, and measured well enough to say so;
 * - `'measure-more'`: none of these is certain, and none can be ruled out.
 */
export type AdviceKind =
  | 'check-preprocessing'
  | 'repair-quantization'
  | 'keep-statistics'
  | 'recalibrate'
  | 'lower-momentum'
  | 'adapt'
  | 'recalibrate-layerwise'
  | 'larger-normalization-batches'
  | 'freeze'
  | 'near-dead-channels'
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
  /** What the model was given, as the first batch has it. */
  readonly inputs: readonly InputReport[];
  /** What else should be known about them, in plain sentences: that images of whole numbers were taken unscaled. */
  readonly warnings: readonly string[];
  /** With option `reference`: how many inputs it was measured on. Null without. */
  readonly reference: { readonly samples: number } | null;
  /** In the model's order. */
  readonly layers: readonly LayerInspection[];
  /**
   * Null with option `reference`, and if fewer than two batches could be measured layer by layer: too few, of different shapes, or too large to run
   * together.
   */
  readonly accumulation: Accumulation | null;
  /** Null without labels, and with option `reference`. */
  readonly errors: ErrorComparison | null;
  /** Null if the stored statistics are those of the data, or cannot be compared with what training began with. */
  readonly movingAverage: MovingAverage | null;
  /** Null without labels or without option `reference`. */
  readonly driftErrors: DriftErrors | null;
  readonly advice: readonly Advice[];
}
