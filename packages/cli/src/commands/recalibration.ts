// What recalibrating a whole and a shard have in common.
import { checkUnfolded } from '@rebatch/recalibrate/~internal';
import { ModelUseError } from '../errors.ts';
import type { Session } from '../session.ts';
import type { ESTIMATORS } from './estimators.ts';
import type { PartsFlags } from './parts-options.ts';
import type { RepairFlags } from './repair.ts';

/** What a recalibration in parts has to know. */
export interface InPartsFlags extends RepairFlags, PartsFlags {
  readonly mode: 'batch' | 'layerwise';
  readonly estimator: keyof typeof ESTIMATORS;
  readonly prior: number;
}

export interface RecalibrateFlags extends InPartsFlags {
  readonly shard?: { readonly index: number; readonly of: number };
  readonly states?: string;
}

/** @throws {ModelUseError} where statistics were folded into weights; it says what to do on the command line. */
export function checkCanBeRecalibrated({ loaded }: Pick<Session, 'loaded'>): void {
  try {
    checkUnfolded(loaded.normalized());
  } catch (error) {
    const { path } = loaded;
    throw new ModelUseError(
      `${path}: statistics of it were folded into its weights, so they cannot be recomputed, only matched to pictures that ` +
        `the model works on: rebatch reference ${path} known-pictures/, then rebatch adapt ${path} new-pictures/ --reference ...`,
      { cause: error },
    );
  }
}
