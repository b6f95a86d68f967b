// Samples with values that are no numbers: named, or left out.
import { DataError } from '../errors.ts';
import type { BadSample } from './data.ts';

/** What is wrong with the values of a sample; undefined where all are finite. */
export function flawIn(values: ArrayLike<number>): string | undefined {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) return `has ${values[i]} at value ${i}`;
  }
  return undefined;
}

/**
 * What is wrong with a sample that was prepared, or was before; undefined where nothing is.
 *
 * @param prepared as the model takes it, in float32: what was not finite is not finite here.
 * @param values as they came, in the same order.
 */
export function flawOfPrepared(prepared: Float32Array, values: ArrayLike<number>): string | undefined {
  for (let i = 0; i < prepared.length; i++) {
    if (Number.isFinite(prepared[i])) continue;
    return (
      flawIn(values) ??
      `has ${values[i]} at value ${i}, which is too large for float32 as inputs are prepared`
    );
  }
  return undefined;
}

/** The sample, to be left out. @throws {DataError} naming it, unless bad ones are. */
export function leftOut(bad: BadSample, skipBad: boolean): BadSample {
  if (skipBad) return bad;
  throw new DataError(`${bad.name} ${bad.reason}. Mend it, or leave such samples out with --skip-bad.`);
}
