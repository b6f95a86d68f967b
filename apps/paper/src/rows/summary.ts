/** Arithmetic mean. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the mean of nothing');
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** Sample standard deviation; 0 for a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - center) ** 2, 0) / (values.length - 1));
}

/** 0.0123 as "1.23%". */
export function percent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)}%`;
}

/** Several seeds, one by one: "1.23%, 1.40%, 1.05%". */
export function percents(shares: readonly number[]): string {
  return shares.map((share) => percent(share)).join(', ');
}

/** Mean and spread of several seeds: "1.23 ±0.10", in percent; without a spread for a single seed. */
export function percentSpread(shares: readonly number[]): string {
  const center = (100 * mean(shares)).toFixed(2);
  return shares.length < 2 ? center : `${center} ±${(100 * deviation(shares)).toFixed(2)}`;
}
