/** What to divide by where a variance is zero. */
import { MomentsError } from './errors.ts';

/** For functions that divide by a variance. */
export interface EpsilonOptions {
  /**
   * Variances below this count as this. In squared units of the data; default 1e-12. A floor and not a summand:
   * ordinary variances are used exactly. Pass the layer's own epsilon to compare as the layer would see it.
   */
  epsilon?: number;
}

/** The variance below which a float32 channel of ordinary scale is a constant. */
export const DEFAULT_EPSILON = 1e-12;

/** Throws a {@link MomentsError} unless `epsilon` is a finite number > 0. */
export function checkEpsilon(epsilon: number, what: string): void {
  if (!(epsilon > 0 && epsilon < Infinity)) {
    throw new MomentsError(`${what}: epsilon must be a finite number > 0, got ${String(epsilon)}.`);
  }
}
