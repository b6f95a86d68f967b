/** Two populations become one. */
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { copyMoments } from './copy-moments.ts';
import { emptyMoments } from './empty-moments.ts';
import type { Moments } from './moments.ts';

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

  const count = a.count + b.count;
  const shareA = a.count / count;
  const shareB = b.count / count;
  const mean = new Float64Array(a.mean.length);
  const variance = new Float64Array(a.mean.length);
  for (let c = 0; c < mean.length; c++) {
    const meanA = a.mean[c]!;
    const meanB = b.mean[c]!;
    const delta = meanB - meanA;
    // Stepping from the larger side keeps the step, and so its rounding, small; on a tie neither side is
    // preferred. Either way the order of the arguments cannot matter.
    if (a.count > b.count) mean[c] = meanA + delta * shareB;
    else if (a.count < b.count) mean[c] = meanB - delta * shareA;
    else mean[c] = (meanA + meanB) / 2;
    variance[c] = a.variance[c]! * shareA + b.variance[c]! * shareB + delta * shareA * (delta * shareB);
  }
  return checkMoments({ count, mean, variance }, 'mergeMoments: the result (is it too large for float64?)');
}
