// What the station's page and its tasks in the worker exchange: options, controls, events and results.

import type { Histogram } from '../../data/histogram.ts';

export const DECAYS = [0.5, 0.9, 0.95, 0.99, 0.995, 0.999] as const;
export type Decay = (typeof DECAYS)[number];
export const SAMPLES = [50, 100, 250, 500, 1_000, 2_000, 4_000] as const;

export interface TrainOptions {
  readonly seed: number;
  readonly batchSize: number;
  readonly steps: number;
  readonly measureEvery: number;
  /** Digits that the errors are measured on. */
  readonly validation: number;
}

export interface TrainLive {
  readonly decay: Decay;
  /** That PreciseBN and layerwise take. */
  readonly samples: number;
  readonly layerwise: boolean;
}

/** Shares of validation digits that are misclassified, 0 to 1. */
export interface Errors {
  readonly ema: number;
  readonly precise: number;
  readonly layerwise: number | undefined;
  readonly miniBatch: number;
}

/** What a channel makes of some digits, normalized by each of the two statistics; the layers before it, too. */
export interface ChannelLook {
  /** From 0. */
  readonly channel: number;
  readonly ema: Histogram;
  readonly precise: Histogram;
}

export interface TrainEvent {
  readonly step: number;
  readonly loss: number;
  readonly errors: Errors;
  /** Per layer and channel: how far the average's mean is from the precise one, in standard deviations. */
  readonly shifts: readonly { readonly name: string; readonly means: Float64Array }[];
  /** Of each layer, the channel that is farthest off. */
  readonly farthest: readonly ChannelLook[];
  readonly decay: Decay;
  readonly samples: number;
}
