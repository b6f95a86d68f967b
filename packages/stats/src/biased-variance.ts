// From an unbiased variance back to the biased one: Bessel's correction undone.
import { MomentsError } from './errors.ts';
import { shown } from './options/shown.ts';
import { checkBesselCount } from './unbiased-variance.ts';

/**
 * The biased (population) variance of `count` values whose unbiased variance is given:
 * `unbiased * (count - 1) / count`, per channel. The inverse of `unbiasedVariance`; use it on statistics that
 * other libraries report with Bessel's correction (PyTorch's running variance, say).
 *
 * @throws MomentsError if `count` is 1 or less, or a variance is negative or not finite.
 */
export function biasedVariance(unbiased: ArrayLike<number>, count: number): Float64Array {
  checkBesselCount(count, 'biasedVariance');
  if (typeof unbiased?.length !== 'number' || typeof unbiased === 'string') {
    throw new MomentsError(`biasedVariance: expected a list of variances, got ${shown(unbiased)}.`);
  }
  const factor = (count - 1) / count;
  return Float64Array.from(unbiased, (v, c) => {
    if (!(typeof v === 'number' && v >= 0 && v < Infinity)) {
      throw new MomentsError(
        `biasedVariance: the variance of channel ${c} is ${shown(v)}; expected finite and >= 0.`,
      );
    }
    return v * factor;
  });
}
