// The three errors of the paper's section 4, by which it tells what a normalization batch does.
import type { SeriesColor } from '../ui/colors.ts';

/** Shares of digits that are misclassified, 0 to 1. */
export interface ThreeErrors {
  /** Training digits, normalized as in training. */
  readonly training: number;
  /** Digits never seen, normalized by mini-batches, as in training. */
  readonly miniBatch: number;
  /** Digits never seen, normalized by population statistics: each by itself, as the model will run. */
  readonly population: number;
}

/** The errors after so many SGD steps. */
export interface ErrorPoint {
  readonly step: number;
  readonly errors: ThreeErrors;
}

export const ERROR_SERIES: readonly {
  readonly key: keyof ThreeErrors;
  readonly text: string;
  readonly color: SeriesColor;
}[] = [
  { key: 'training', text: 'Training', color: 'train' },
  { key: 'miniBatch', text: 'Validation, mini-batch', color: 'mini-batch' },
  { key: 'population', text: 'Validation, population', color: 'precise' },
];
