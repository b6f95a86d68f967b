/**
 * The largest error of `actual`, relative to each expected value or, where that is small, to the root mean
 * square of all of them: a value that is the difference of two larger ones cannot be closer than that in
 * float32. Infinity when the lengths differ or a value is not finite.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) squares += expected[i]! * expected[i]!;
  const scale = Math.sqrt(squares / Math.max(1, expected.length));
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (error === 0) continue;
    const relative = error / Math.max(Math.abs(expected[i]!), scale);
    if (!(relative <= worst)) worst = Number.isFinite(relative) ? relative : Number.POSITIVE_INFINITY;
  }
  return worst;
}

/** Throws unless `actual` is within `tolerance` of `expected` by `relativeError`. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'values',
): void {
  const error = relativeError(actual, expected);
  if (error <= tolerance) return;
  const head = (values: ArrayLike<number>) =>
    Array.from({ length: Math.min(4, values.length) }, (_, i) => values[i]);
  throw new Error(
    `${what}: relative error ${error} is above ${tolerance} ` +
      `(${actual.length} values ${head(actual)}..., expected ${expected.length} values ${head(expected)}...)`,
  );
}
