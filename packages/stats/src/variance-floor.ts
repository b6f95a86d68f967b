// What to divide by where a variance is zero.
import { MomentsError } from './errors.ts';
import { checkOptions, type OptionRules } from './options/check-options.ts';
import { finite } from './options/rules.ts';

/** For functions that divide by a variance. */
export interface EpsilonOptions {
  /**
   * Variances below this count as this. In squared units of the data; default 1e-12. A floor and not a summand:
   * ordinary variances are used exactly. Pass the layer's own epsilon to compare as the layer would see it.
   */
  epsilon?: number;
}

/** The variance below which a float32 channel of ordinary scale is a constant. */
const DEFAULT_EPSILON = 1e-12;

const RULES: OptionRules<EpsilonOptions> = { epsilon: finite({ above: 0 }) };

/** The variance that smaller ones count as. Throws a {@link MomentsError} unless it is a finite number > 0. */
export function readEpsilon(options: EpsilonOptions, who: string): number {
  checkOptions(who, options, RULES, MomentsError);
  return options.epsilon ?? DEFAULT_EPSILON;
}
