// The three errors with which section 4 of the paper shows what the size of a normalization batch does.

import type { Stroke } from '../ui/chart.tsx';
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

/** In the order in which they are drawn: those above let the ones below them show. */
export const ERROR_SERIES: readonly {
  readonly key: keyof ThreeErrors;
  readonly text: string;
  readonly color: SeriesColor;
  readonly stroke: Stroke;
}[] = [
  { key: 'training', text: 'Training', color: 'train', stroke: 'wide' },
  { key: 'miniBatch', text: 'Validation, mini-batch', color: 'mini-batch', stroke: 'solid' },
  { key: 'population', text: 'Validation, population', color: 'precise', stroke: 'dashed' },
];
