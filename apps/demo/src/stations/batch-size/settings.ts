// What the station's page and its tasks in the worker exchange: options, controls, events and results.

import type { ErrorPoint, ThreeErrors } from '../../training/three-errors.ts';

/** Digits per SGD step: the same, whatever is normalized together. */
export const BATCH = 128;
/** Digits that are normalized together. */
export const SIZES = [2, 4, 8, 16, 32, 64, 128] as const;
export type Size = (typeof SIZES)[number];

export interface TrainOptions {
  readonly seed: number;
  readonly normalizationBatch: number;
  readonly steps: number;
  readonly measureEvery: number;
  /** Digits that each error is measured on. */
  readonly evaluation: number;
}

export interface TrainLive {
  /** Whether the layers normalize by population statistics in training, too. */
  readonly frozen: boolean;
}

export interface TrainEvent extends ErrorPoint {
  readonly loss: number;
  readonly frozen: boolean;
}

export type TrainResult = ThreeErrors;
