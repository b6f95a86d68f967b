// Two populations become one.
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { copyMoments } from './copy-moments.ts';
import { emptyMoments } from './empty-moments.ts';
import type { MeanAndVariance, Moments } from './moments.ts';

/**
 * The moments of the union of two populations (Chan, Golub & LeVeque 1983). The inputs are left as they are and
 * share no memory with the result.
 *
 * Associative up to rounding, and commutative to the last bit; moments of count 0 are the identity. A variance
 * cannot become negative: only non-negative terms are added.
 *
 * @throws MomentsError if the channels differ, either input is invalid (see `checkMoments`), or the result
 *   overflows float64.
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  checkMoments(a, 'mergeMoments: the first moments');
  checkMoments(b, 'mergeMoments: the second moments');
  checkSameChannels(a, b, 'mergeMoments');
  if (a.count === 0 && b.count === 0) return emptyMoments(a.mean.length);
  if (b.count === 0) return copyMoments(a);
  if (a.count === 0) return copyMoments(b);

  const out = { count: 0, mean: new Float64Array(a.mean.length), variance: new Float64Array(a.mean.length) };
  return mergeInto(out, a, b);
}

/**
 * The same into other arrays than those of `a` and `b`, which both have values and passed all checks.
 *
 * @throws MomentsError if the result overflows float64.
 */
export function mergeInto(
  out: { -readonly [K in keyof Moments]: Moments[K] },
  a: Moments,
  b: Moments,
): Moments {
  // Stepping from the larger side keeps the step, and so its rounding, small; on a tie neither side is preferred. Either
  // way the order of the arguments cannot matter.
  if (a.count < b.count) stepFromLarger(out, b, a);
  else stepFromLarger(out, a, b);
  out.count = a.count + b.count;
  return checkMoments(out, 'mergeMoments: the result (is it too large for float64?)');
}

/** @param smaller has a count that is not above that of `larger`. */
function stepFromLarger(out: MeanAndVariance, larger: Moments, smaller: Moments): void {
  const { mean, variance } = out;
  const [meansA, variancesA, meansB, variancesB] = [
    larger.mean,
    larger.variance,
    smaller.mean,
    smaller.variance,
  ];
  const count = larger.count + smaller.count;
  const shareA = larger.count / count;
  const shareB = smaller.count / count;
  const tie = larger.count === smaller.count;
  for (let c = 0; c < mean.length; c++) {
    const delta = meansB[c]! - meansA[c]!;
    mean[c] = tie ? (meansA[c]! + meansB[c]!) / 2 : meansA[c]! + delta * shareB;
    variance[c] = variancesA[c]! * shareA + variancesB[c]! * shareB + delta * shareA * (delta * shareB);
  }
}
