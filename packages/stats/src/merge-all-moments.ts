/** Many populations become one. */
import { checkMoments, checkSameChannels } from './check-moments.ts';
import { copyMoments } from './copy-moments.ts';
import { emptyMoments } from './empty-moments.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';

/**
 * The moments of the union of any number of populations. Equals folding with `mergeMoments`, with fewer rounding
 * errors: two passes around the mean of the largest part, so that the error does not grow with the number of
 * merges (the corrected two-pass algorithm of Chan, Golub & LeVeque 1983, with parts in place of values).
 *
 * @throws MomentsError if there are no parts (the number of channels is then unknown), the channels differ, a part
 *   is invalid (the message gives its index), or the result overflows float64.
 */
export function mergeAllMoments(parts: Iterable<Moments>): Moments {
  const all = [...parts];
  const first = all[0];
  if (first === undefined) {
    throw new MomentsError(
      'mergeAllMoments: there is nothing to merge; expected at least one set of moments. ' +
        'Start from emptyMoments(channels) where there may be none.',
    );
  }
  let count = 0;
  let largest = first;
  all.forEach((part, i) => {
    checkMoments(part, `mergeAllMoments: part ${i}`);
    checkSameChannels(first, part, `mergeAllMoments: part 0 and part ${i}`);
    count += part.count;
    if (part.count > largest.count) largest = part;
  });
  const used = all.filter((part) => part.count > 0);
  if (used.length === 0) return emptyMoments(first.mean.length);
  if (used.length === 1) return copyMoments(used[0]!);

  const mean = new Float64Array(first.mean.length);
  const variance = new Float64Array(first.mean.length);
  for (let c = 0; c < mean.length; c++) {
    const shift = largest.mean[c]!;
    let step = 0;
    for (const part of used) step += (part.count / count) * (part.mean[c]! - shift);
    const center = shift + step;

    let off = 0;
    let squares = 0;
    for (const part of used) {
      const share = part.count / count;
      const distance = part.mean[c]! - center;
      off += share * distance;
      squares += share * (part.variance[c]! + distance * distance);
    }
    mean[c] = center + off;
    // In exact arithmetic squares >= off^2 (Cauchy-Schwarz); rounding may disagree in the last digits.
    variance[c] = Math.max(0, squares - off * off);
  }
  return checkMoments(
    { count, mean, variance },
    'mergeAllMoments: the result (is it too large for float64?)',
  );
}
