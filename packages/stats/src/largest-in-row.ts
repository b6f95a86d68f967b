/** The place of the first largest of the values from `from` on, `length` of them, as argMax has it; -1 if one is NaN. */
export function largestInRow(values: ArrayLike<number>, from: number, length: number): number {
  let best = 0;
  for (let i = 0; i < length; i++) {
    const value = values[from + i]!;
    if (Number.isNaN(value)) return -1;
    if (value > values[from + best]!) best = i;
  }
  return best;
}
