// The checks that every estimator makes before it takes a batch in.
import { checkMoments, checkSameChannels, type Moments, MomentsError } from '@rebatch/stats';

/** What an estimator asks of a batch. */
export interface BatchRequirements {
  /** Moments with the channels that the batch must have, where already known. */
  like?: Moments | undefined;
  /** Whether the batch must have more than one value per channel, for Bessel's correction to exist. */
  bessel?: boolean;
}

/**
 * Throws a MomentsError that names the estimator unless `batch` is valid, not empty, and meets the requirements.
 * Call it before touching any state.
 */
export function checkBatch(
  kind: string,
  batch: Moments,
  { like, bessel = false }: BatchRequirements = {},
): void {
  checkMoments(batch, `${kind}: the batch`);
  if (like) checkSameChannels(like, batch, `${kind}: what was seen before and this batch`);
  if (batch.count === 0) {
    throw new MomentsError(
      `${kind}: the batch is empty (count 0); expected the moments of at least one value.`,
    );
  }
  if (bessel && batch.count <= 1) {
    throw new MomentsError(
      `${kind}: the batch has a count of ${batch.count}, and Bessel's correction needs more than one value per ` +
        'channel. Use larger batches, or an estimator of the biased variance (populationVariance).',
    );
  }
}
