// Which class a row of a model's output says.

/** What stands for the class of a row that has a NaN: it says none, so it is neither like another nor right. */
export const NO_CLASS = -1;

/** The class of the largest value of each row of `size`; of a single value, whether it is above a half. */
export function topClasses(values: ArrayLike<number>, size: number): number[] {
  return Array.from({ length: values.length / size }, (_, row) => topClass(values, row * size, size));
}

function topClass(values: ArrayLike<number>, from: number, size: number): number {
  let best = 0;
  for (let i = 0; i < size; i++) {
    const value = values[from + i]!;
    if (Number.isNaN(value)) return NO_CLASS;
    if (value > values[from + best]!) best = i;
  }
  return size === 1 ? Number(values[from]! > 0.5) : best;
}
