/** Two digits; what is far below anything that matters is 0. */
export function short(value: number): string {
  if (Math.abs(value) < 1e-4) return '0';
  return Math.abs(value) < 1e4 ? String(Number(value.toPrecision(2))) : value.toExponential(1);
}
