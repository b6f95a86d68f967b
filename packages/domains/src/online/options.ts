/** The options of online adaptation, checked and with their defaults. */
import { RecalibrationOptionError } from '@rebatch/recalibrate';

/** Options of `adaptOnline`. */
export interface OnlineOptions {
  /**
   * How much a frame counts beside the one after it, from 0 (each frame by itself) to below 1. The estimate is worth up
   * to (1 + decay) / (1 - decay) frames of one sample. Default 0.95: 39 of them.
   */
  readonly decay?: number;
  /** For how many samples the source statistics count; at least 0. Default 16. */
  readonly prior?: number;
  /** What to do when a layer receives NaN or Infinity: throw (default), or leave the frame out and count it. */
  readonly nonFinite?: 'throw' | 'skip';
}

/** Options with nothing left to decide. */
export type OnlineSettings = Required<OnlineOptions>;

/** @throws {RecalibrationOptionError} for an option out of its range. */
export function readOnlineOptions(options: OnlineOptions): OnlineSettings {
  const { decay = 0.95, prior = 16, nonFinite = 'throw' } = options;
  demand(decay >= 0 && decay < 1, 'decay', 'a number from 0 to below 1', decay);
  demand(prior >= 0 && prior < Infinity, 'prior', 'a finite number >= 0', prior);
  demand(nonFinite === 'throw' || nonFinite === 'skip', 'nonFinite', "'throw' or 'skip'", nonFinite);
  return { decay, prior, nonFinite };
}

function demand(met: boolean, name: string, expected: string, came: unknown): void {
  if (met) return;
  throw new RecalibrationOptionError(
    `Option ${name}: expected ${expected}, got ${JSON.stringify(came) ?? String(came)}.`,
  );
}
