// From raw values to moments.
import { checkMoments } from './check-moments.ts';
import { MomentsError } from './errors.ts';
import type { Moments } from './moments.ts';
import { checkOptions, type OptionRules } from './options/check-options.ts';
import { integer } from './options/rules.ts';
import { shown } from './options/shown.ts';

/** Options of `momentsOf`. */
interface MomentsOfOptions {
  /** Values per row; default 1. */
  readonly channels?: number;
}

const RULES: OptionRules<MomentsOfOptions> = { channels: integer({ least: 1 }) };

/**
 * The moments of `values`, seen as `[rows, channels]` in row-major order; `count` is the number of rows.
 *
 * Two passes: the mean (shifted by the first row, so that no digits go to a large common offset), then the
 * squared distances to it. The second pass also measures how far the first mean was off and corrects both
 * moments for it (the corrected two-pass algorithm of Chan, Golub & LeVeque 1983, eq. 1.7).
 *
 * @throws MomentsError if the length is no multiple of `channels`, a value is not a finite number, or the
 *   moments of finite values overflow float64. No values at all give moments of count 0.
 */
export function momentsOf(values: ArrayLike<number>, options: MomentsOfOptions = {}): Moments {
  checkOptions('momentsOf', options, RULES, MomentsError);
  const { channels = 1 } = options;
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throw new MomentsError(`momentsOf: expected values in an array or a typed array, got ${shown(values)}.`);
  }
  const count = values.length / channels;
  if (!Number.isInteger(count)) {
    throw new MomentsError(
      `momentsOf: ${values.length} values are not a whole number of rows of ${channels} channels. ` +
        'Pass rows x channels values in row-major order.',
    );
  }
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let c = 0; c < channels && count > 0; c++) {
    const shift = values[c]!;
    let sum = 0;
    for (let i = c; i < values.length; i += channels) {
      if (!Number.isFinite(values[i])) {
        throw new MomentsError(
          `momentsOf: the value in row ${Math.floor(i / channels)}, channel ${c} is ${shown(values[i])}; ` +
            'values must be finite numbers.',
        );
      }
      sum += values[i]! - shift;
    }
    const center = shift + sum / count;
    let off = 0;
    let squares = 0;
    for (let i = c; i < values.length; i += channels) {
      const distance = values[i]! - center;
      off += distance;
      squares += distance * distance;
    }
    off /= count;
    mean[c] = center + off;
    variance[c] = Math.max(0, squares / count - off * off);
  }
  return checkMoments({ count, mean, variance }, 'momentsOf: the result (is it too large for float64?)');
}
