// What the station's page and its tasks in the worker exchange: options, controls, events and results.
import { named } from './corruption-names.ts';

/** The corruptions of @rebatch/images by name, in words; `none` leaves digits as they are. */
export const CORRUPTIONS = [
  ...named('gaussian-noise', 'shot-noise', 'impulse-noise', 'defocus-blur', 'glass-blur', 'motion-blur'),
  ...named('fog', 'brightness', 'contrast', 'pixelate', 'jpeg', 'stripe'),
  { value: 'none', text: 'None: clean digits' },
] as const;
export type CorruptionName = (typeof CORRUPTIONS)[number]['value'];

export const SEVERITIES = [1, 2, 3, 4, 5] as const;
export const SAMPLES = [8, 16, 32, 64, 128, 256, 512] as const;
export const PRIORS = [0, 1, 2, 4, 8, 16, 32, 64] as const;

/** Pixels of a digit: 28 x 28 gray values, 0 to 255. */
export const DIGIT = 784;
/** Corrupted test digits that accuracies are of. */
export const EVALUATED = 400;
/** How many of them are shown. */
export const SHOWN = 12;
/** The name of what the model was trained on, among the stored domains. */
export const SOURCE = 'clean digits';

export interface Domain {
  readonly corruption: CorruptionName;
  readonly severity: (typeof SEVERITIES)[number];
}

/** How well the model does under some statistics. */
export interface Score {
  /** The share of digits that it gets right, 0 to 1. */
  readonly accuracy: number;
  /** The same for the digits of each class. */
  readonly perClass: readonly number[];
  /** What it takes the shown digits for. */
  readonly shown: readonly number[];
}

/** How often a layer's normalized inputs take each value. */
export interface Histogram {
  /** The share of values in each bin from -{@link REACH} to {@link REACH}; what is beyond is in no bin. */
  readonly shares: Float64Array;
  readonly mean: number;
  readonly deviation: number;
}
export const REACH = 4;
export const BINS = 64;

/** Histograms of each batch normalization layer. */
export type Activations = readonly Histogram[];

/** The model on digits of a domain, under the statistics that it has at the moment. */
export interface Measurement {
  readonly score: Score;
  readonly activations: Activations;
}

/** The stored domains. */
export interface BankState {
  readonly names: readonly string[];
  /** The one that the model runs on, if it is one of them. */
  readonly current: string | undefined;
}

/** Digits to be shown. */
export interface Shown {
  /** {@link SHOWN} x {@link DIGIT}. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** How the model does on a domain that it has not adapted to: under the statistics of its training data. */
export interface Look {
  readonly clean: Measurement;
  readonly source: Measurement;
  readonly bank: BankState;
}

export interface AdaptOptions {
  /** What accuracies are measured on, and what is adapted to unless `images` are given. */
  readonly domain: Domain;
  /** Digits of one's own to adapt to, n x {@link DIGIT}, instead of those of the domain. */
  readonly images?: Uint8Array;
  readonly samples: number;
  readonly prior: number;
}

/** The model has been adapted to this many samples, and stays so. */
export interface AdaptEvent extends Measurement {
  readonly samples: number;
  /** Per layer: how far the means moved from those of the source, in standard deviations. */
  readonly shifts: readonly number[];
  readonly bank: BankState;
}

/** Other statistics are in use. */
export interface Switched extends Measurement {
  readonly bank: BankState;
}

/** What the model takes one digit for. */
export interface Reading {
  /** The digit as the model gets it. */
  readonly seen: Uint8Array;
  /** Probabilities of the ten classes under the source's statistics, and under the present ones. */
  readonly source: Float32Array;
  readonly present: Float32Array;
}
