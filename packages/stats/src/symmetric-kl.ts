// How different two populations are, seen as Gaussians.
import { checkMeanAndVariance, checkSameChannels } from './check-moments.ts';
import type { MeanAndVariance } from './moments.ts';
import { type EpsilonOptions, readEpsilon } from './variance-floor.ts';

/**
 * KL(a|b) + KL(b|a) per channel, in nats, of the Gaussians with these moments (Jeffreys 1946; Li et al. 2016 use it
 * to show that the statistics of a batch-norm layer carry its domain). Symmetric, never negative, and 0 for equal
 * moments. It may be Infinity for moments that are extremely far apart. A count, if there is one, plays no role.
 *
 * @throws MomentsError if the channels differ, either input is invalid, or `epsilon` is not a finite number > 0.
 */
export function symmetricKL(
  a: MeanAndVariance,
  b: MeanAndVariance,
  options: EpsilonOptions = {},
): Float64Array {
  const epsilon = readEpsilon(options, 'symmetricKL');
  checkMeanAndVariance(a, 'symmetricKL: the first moments');
  checkMeanAndVariance(b, 'symmetricKL: the second moments');
  checkSameChannels(a, b, 'symmetricKL');
  const divergence = new Float64Array(a.mean.length);
  for (let c = 0; c < divergence.length; c++) {
    const varianceA = Math.max(a.variance[c]!, epsilon);
    const varianceB = Math.max(b.variance[c]!, epsilon);
    const spread = varianceB - varianceA;
    const delta = b.mean[c]! - a.mean[c]!;
    // The usual (va + d^2) / vb + (vb + d^2) / va - 2 cancels for nearly equal moments; these are its two parts,
    // each a sum of non-negative terms.
    const ofVariances = (spread / varianceA) * (spread / varianceB);
    const ofMeans = (delta / varianceA) * delta + (delta / varianceB) * delta;
    divergence[c] = 0.5 * (ofVariances + ofMeans);
  }
  return divergence;
}
