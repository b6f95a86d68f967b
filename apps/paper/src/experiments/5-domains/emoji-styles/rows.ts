// What the experiment `emoji-styles` measures. Each row is one number of one seed.

import type { Sharing } from '@rebatch/domains';
import type { SeedSettings } from '../../../experiment.ts';
import type { CosineSettings } from '../../../training/training.ts';
import type { Style } from './packages.ts';

/** The error of a network that was trained on one style. */
export interface OneStyleRow {
  readonly part: 'one style';
  readonly seed: number;
  readonly trained: Style;
  /** The style in which the test symbols are drawn. */
  readonly tested: Style;
  /** Unlabeled pictures of training symbols, in the tested style, that the statistics were adapted to; 0: not adapted. */
  readonly samples: number;
  /** For how many pictures the statistics of the style of training count beside them. */
  readonly prior: number;
  /** Share of the test symbols that are misclassified, 0 to 1; the mean over the draws of the samples. */
  readonly error: number;
}

/** The error of a network that was trained on both styles. */
export interface BothStylesRow {
  readonly part: 'both styles';
  readonly seed: number;
  /** Whether the styles share what normalizes in training, what normalizes in inference, and gamma and beta. */
  readonly train: Sharing;
  readonly population: Sharing;
  readonly affine: Sharing;
  readonly tested: Style;
  /** Share of the test symbols that are misclassified, 0 to 1. */
  readonly error: number;
}

/** How far the statistics of a network differ between the styles. */
export interface DistanceRow {
  readonly part: 'distance';
  readonly seed: number;
  readonly trained: Style | 'both';
  /**
   * Of a channel's mean, in standard deviations; root mean square over the channels of the layer where that is largest.
   */
  readonly shift: number;
}

/** What answering with the most frequent category of the test would give. */
export interface BaselineRow {
  readonly part: 'baseline';
  readonly seed: number;
  /** Share of the test symbols, 0 to 1. */
  readonly error: number;
}

export type Row = OneStyleRow | BothStylesRow | DistanceRow | BaselineRow;

export interface Settings extends SeedSettings, CosineSettings {
  /** Side of the pictures, in pixels. */
  readonly size: number;
  /** Share of the symbols of each category that is never trained on. */
  readonly testShare: number;
  /** Each picture is trained on as it is, and in copies that are moved by up to so many pixels and may be mirrored. */
  readonly copies: number;
  readonly shift: number;
  /** Numbers of pictures to adapt to, beside all of them. */
  readonly samples: readonly number[];
  /** Draws of each of these numbers. */
  readonly draws: number;
  readonly priors: readonly number[];
}
