// Many populations become one.
import { checkMoments, checkSameChannels, isSound } from './check-moments.ts';
import { copyMoments } from './copy-moments.ts';
import { emptyMoments } from './empty-moments.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';
import { shown } from './options/shown.ts';

/**
 * The moments of the union of any number of populations. Equals folding with `mergeMoments`, with fewer rounding
 * errors: two passes around the mean of the largest part, so that the error does not grow with the number of
 * merges (the corrected two-pass algorithm of Chan, Golub & LeVeque 1983, with parts in place of values).
 *
 * @throws MomentsError if there are no parts (the number of channels is then unknown), the channels differ, a part
 *   is invalid (the message gives its index), or the result overflows float64.
 */
export function mergeAllMoments(parts: Iterable<Moments>): Moments {
  if (typeof parts?.[Symbol.iterator] !== 'function') {
    throw new MomentsError(`mergeAllMoments: expected a list of moments, got ${shown(parts)}.`);
  }
  const all = [...parts];
  const first = all[0];
  if (first === undefined) {
    throw new MomentsError(
      'mergeAllMoments: there is nothing to merge; expected at least one set of moments. ' +
        'Start from emptyMoments(channels) where there may be none.',
    );
  }
  // Counts first: shares and the largest part follow from them alone. What else is wrong is found with the first sums.
  let count = 0;
  let largest = first;
  let used = 0;
  for (let i = 0; i < all.length; i++) {
    const part = all[i]!;
    if (!(part?.count >= 0)) checkAll(all);
    count += part.count;
    if (part.count > 0) used += 1;
    if (part.count > largest.count) largest = part;
  }
  if (used < 2) {
    checkAll(all);
    return used === 0 ? emptyMoments(first.mean.length) : copyMoments(largest);
  }
  return checkMoments(
    sumUp(all, largest, count),
    'mergeAllMoments: the result (is it too large for float64?)',
  );
}

/** Throws a {@link MomentsError} about the first part that is not as it should be. */
function checkAll(parts: readonly Moments[]): void {
  parts.forEach((part, i) => {
    checkMoments(part, `mergeAllMoments: part ${i}`);
    checkSameChannels(parts[0]!, part, `mergeAllMoments: part 0 and part ${i}`);
  });
}

/** Part by part, and all channels of each, so that memory is read in the order in which it lies, and twice in all. */
function sumUp(parts: readonly Moments[], largest: Moments, count: number): Moments {
  let sound = isSound(largest);
  const channels = sound ? largest.mean.length : 0;
  const center = new Float64Array(channels);
  for (let i = 0; sound && i < parts.length; i++) {
    const part = parts[i]!;
    sound = isSound(part) && part.mean.length === channels;
    if (sound && part.count > 0) addDistances(center, part.mean, largest.mean, part.count / count);
  }
  if (!sound) checkAll(parts);
  for (let c = 0; c < channels; c++) center[c]! += largest.mean[c]!;

  const off = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (part.count > 0) addSquares(off, squares, part, center, part.count / count);
  }
  for (let c = 0; c < channels; c++) {
    center[c]! += off[c]!;
    // In exact arithmetic squares >= off^2 (Cauchy-Schwarz); rounding may disagree in the last digits.
    squares[c] = Math.max(0, squares[c]! - off[c]! * off[c]!);
  }
  return { count, mean: center, variance: squares };
}

function addDistances(sum: Float64Array, mean: Float64Array, from: Float64Array, share: number): void {
  for (let c = 0; c < sum.length; c++) sum[c]! += share * (mean[c]! - from[c]!);
}

function addSquares(
  off: Float64Array,
  squares: Float64Array,
  { mean, variance }: Moments,
  center: Float64Array,
  share: number,
): void {
  for (let c = 0; c < off.length; c++) {
    const distance = mean[c]! - center[c]!;
    off[c]! += share * distance;
    squares[c]! += share * (variance[c]! + distance * distance);
  }
}
