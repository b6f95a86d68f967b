// The options of online adaptation, checked and with their defaults.
import { RecalibrationOptionError } from '@rebatch/recalibrate';
import { anything, checkOptions, finite, type OptionRules, oneOf } from '@rebatch/stats/~internal';
import type { Reference } from '../reference/reference.ts';

/** Options of `adaptOnline`. */
export interface OnlineOptions {
  /**
   * How much a frame counts beside the one after it, from 0 (each frame by itself) to below 1. The estimate is worth up
   * to (1 + decay) / (1 - decay) frames of one sample. Default 0.95: 39 of them.
   */
  readonly decay?: number;
  /** For how many samples the source statistics count; at least 0. Default 16. */
  readonly prior?: number;
  /**
   * What the model's sites see on inputs that it is known to work on, from `captureReference`: frames are matched to it, as
   * in `adapt`, and the prior's samples are of the reference.
   */
  readonly reference?: Reference;
  /** What to do when a layer receives NaN or Infinity: throw (default), or leave the frame out and count it. */
  readonly nonFinite?: 'throw' | 'skip';
}

/** Options with nothing left to decide. */
export type OnlineSettings = Required<Omit<OnlineOptions, 'reference'>> & Pick<OnlineOptions, 'reference'>;

const RULES: OptionRules<OnlineOptions> = {
  decay: finite({ least: 0, below: 1 }),
  prior: finite({ least: 0 }),
  nonFinite: oneOf('throw', 'skip'),
  // It is checked against the model.
  reference: anything,
};

/** @throws {RecalibrationOptionError} for an option that does not exist or is out of its range. */
export function readOnlineOptions(options: OnlineOptions): OnlineSettings {
  checkOptions('adaptOnline', options, RULES, RecalibrationOptionError);
  const { decay = 0.95, prior = 16, nonFinite = 'throw', reference } = options;
  return { decay, prior, nonFinite, ...(reference !== undefined && { reference }) };
}
