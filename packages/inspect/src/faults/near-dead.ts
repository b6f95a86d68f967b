// Channels that hardly carry a signal, whatever the statistics are.
import type { Site } from '@rebatch/models';
import type { MeanAndVariance } from '@rebatch/stats';
import type { NearDeadChannel } from '../report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from '../thresholds.ts';

/** Scale and offset of each channel after normalizing. */
export interface Affine {
  readonly gamma: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
}

/** The gamma and beta that sites have now: 1 and 0 where they have none. */
export function readAffines(sites: readonly Site[]): Promise<Affine[]> {
  return Promise.all(
    sites.map(async (site) => {
      const { gamma, beta } = site.options();
      const values = async (tensor: typeof gamma, otherwise: number) =>
        tensor?.size === site.channels
          ? await tensor.data<'float32'>()
          : new Float32Array(site.channels).fill(otherwise);
      return { gamma: await values(gamma, 1), beta: await values(beta, 0) };
    }),
  );
}

/**
 * The near-dead channels of a site, by its own moments on the data:
 * - `still`: its input varies by less than a tenth of what epsilon adds, so that what comes out is nearly constant;
 * - `gamma`: it is scaled by less than a hundredth of what channels of this site usually are;
 * - `negative`: four deviations above its mean are below 0, and a ReLU alone reads it, which passes nothing on.
 */
export function nearDeadChannels(
  { variance }: MeanAndVariance,
  { gamma, beta }: Affine,
  { epsilon, rectified }: { readonly epsilon: number; readonly rectified: boolean },
): NearDeadChannel[] {
  const usual = median(Array.from(gamma, Math.abs));
  return Array.from(variance).flatMap((own, channel): NearDeadChannel[] => {
    const scale = Math.abs(gamma[channel]!);
    // The output's deviation, normalized by itself.
    const deviation = scale * Math.sqrt(own / (own + epsilon || 1));
    const why =
      own <= LIMITS.stillVariance * epsilon
        ? 'still'
        : scale <= LIMITS.smallGamma * usual
          ? 'gamma'
          : rectified && beta[channel]! + LIMITS.deviationsBelowZero * deviation < 0
            ? 'negative'
            : undefined;
    return why ? [{ channel, why }] : [];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
