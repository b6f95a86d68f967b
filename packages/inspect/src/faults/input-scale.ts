// Inputs that are scaled otherwise than in training change all channels of the first layer by one and the same factor.
import type { InputReport } from '@rebatch/recalibrate';
import type { MeanAndVariance } from '@rebatch/stats';
import type { InputScale } from '../report.ts';
import { ADVICE_THRESHOLDS as LIMITS } from '../thresholds.ts';

/** Below so many channels, that they agree says little. */
const CHANNELS = 4;

/** The factor from the stored deviations of a site to those of the data; null where too few channels tell. */
export function inputScaleOf(
  stored: MeanAndVariance,
  precise: MeanAndVariance,
  epsilon: number,
): InputScale | null {
  // What epsilon hides has no scale.
  const least = Math.max(10 * epsilon, Number.MIN_VALUE);
  const logs = Array.from(stored.variance).flatMap((variance, c) =>
    variance > least && precise.variance[c]! > least ? [Math.log(precise.variance[c]! / variance) / 2] : [],
  );
  if (logs.length < CHANNELS) return null;
  const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
  const spread = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1));
  return { factor: Math.exp(mean), spread };
}

/** Ways in which images are prepared, by how wide the scale is that all pixels are on. */
const SCALES = [
  { least: 0, largest: 255, width: 255, name: '0 to 255' },
  { least: -1, largest: 1, width: 2, name: '-1 to 1' },
  { least: 0, largest: 1, width: 1, name: '0 to 1' },
] as const;
/** Minus the mean of each color and divided by its deviation, as for ImageNet: 1 is 1 / 0.226 wide. */
const EXPECTED = [...SCALES, { width: 1 / 0.226, name: 'mean 0 and deviation 1 (as for ImageNet)' }] as const;

/**
 * On which scale inputs came and which the first layer expects, if one conversion between two of them explains what it sees.
 * A photograph of half the contrast looks the same but for its range; so inputs must come over the whole of their scale.
 */
export function otherScale(
  { factor, spread }: InputScale,
  inputs: readonly InputReport[],
): { readonly came: string; readonly expected: string } | undefined {
  if (inputs.length !== 1 || spread > LIMITS.scaleSpread) return undefined;
  const range = inputs[0]!.range;
  const came = range && SCALES.find(({ least, largest }) => fills(range, { least, largest }));
  if (!came) return undefined;
  const fits = (width: number) => Math.abs(Math.log((factor * width) / came.width)) <= LIMITS.scaleTolerance;
  const expected = EXPECTED.find(({ width, name }) => name !== came.name && fits(width));
  // A factor of 1 is no conversion, whatever its name.
  return expected && !fits(came.width) ? { came: came.name, expected: expected.name } : undefined;
}

interface Range {
  readonly least: number;
  readonly largest: number;
}

/** Whether values use all of a scale and nothing else, but for a twentieth at each end. */
function fills(range: Range, { least, largest }: Range): boolean {
  const slack = (largest - least) / 20;
  return (
    range.least >= least - 1e-6 * (largest - least) &&
    range.largest <= largest + 1e-6 * (largest - least) &&
    range.least <= least + slack &&
    range.largest >= largest - slack
  );
}
