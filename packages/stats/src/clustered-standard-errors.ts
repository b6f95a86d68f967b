// How sure one may be of moments whose values are correlated within batches, from all batches at once.
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import { mergeAllMoments } from './merge-all-moments.ts';
import type { Moments } from './moments.ts';
import type { StandardErrors } from './standard-errors.ts';

/**
 * Standard errors of the mean and variance of `mergeAllMoments(batches)` when values are correlated within a batch
 * and batches are independent: the method of batch means, each batch one cluster.
 *
 * Positions of one image are correlated, so n positions tell less than n independent values would; comparing whole
 * batches needs no model of how much less. With mu and sigma^2 the merged moments, and w the share of a batch in
 * the count, a batch moves the mean by w (m - mu) and the variance by w (v + (m - mu)^2 - sigma^2); the error is
 * the root of k / (k - 1) times the sum of the squares of these (the linearized ratio estimator for clusters of
 * unequal size, Cochran 1977, Sec. 9A.1; no assumption of normality).
 *
 * With few batches the errors are themselves uncertain, by about 1 / sqrt(2 (k - 1)) of their value: 10 batches
 * are a sensible minimum. Streams that are too long to keep: `clusterErrors`.
 *
 * @throws MomentsError with fewer than two non-empty batches, differing channels or invalid moments.
 */
export function clusteredStandardErrors(batches: readonly Moments[]): StandardErrors {
  batches.forEach((batch, i) => {
    checkMoments(batch, `clusteredStandardErrors: batch ${i}`);
    checkSameChannels(batches[0]!, batch, `clusteredStandardErrors: batch 0 and batch ${i}`);
  });
  const used = batches.filter((batch) => batch.count > 0);
  checkClusters(used.length, 'clusteredStandardErrors');
  // From the first batch's mean, so that a mean far larger than what lies between the batches costs them no digits.
  const origin = used[0]!.mean;
  const moved = used.map((batch) => ({ ...batch, mean: batch.mean.map((mean, c) => mean - origin[c]!) }));
  const whole = mergeAllMoments(moved);
  const correction = used.length / (used.length - 1);

  const channels = whole.mean.length;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (const batch of moved) {
    const share = batch.count / whole.count;
    for (let c = 0; c < channels; c++) {
      const distance = batch.mean[c]! - whole.mean[c]!;
      mean[c]! += (share * distance) ** 2;
      variance[c]! += (share * (batch.variance[c]! + distance * distance - whole.variance[c]!)) ** 2;
    }
  }
  for (let c = 0; c < channels; c++) {
    mean[c] = Math.sqrt(correction * mean[c]!);
    variance[c] = Math.sqrt(correction * variance[c]!);
  }
  return { mean, variance };
}

/** Throws a {@link MomentsError} unless there are clusters to compare. */
export function checkClusters(clusters: number, what: string): void {
  if (clusters < 2) {
    throw new MomentsError(
      `${what}: expected at least two non-empty batches, got ${clusters}. ` +
        'The errors come from how batches differ; a single one has nothing to differ from.',
    );
  }
}
