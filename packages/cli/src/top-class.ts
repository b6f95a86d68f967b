// Which class a row of a model's output says.
import { largestInRow } from '@rebatch/stats/~internal';

/** What stands for the class of a row that has a NaN: it says none, so it is neither like another nor right. */
export const NO_CLASS = -1;

/** The class of the largest value of each row of `size`; of a single value, whether it is above a half. */
export function topClasses(values: ArrayLike<number>, size: number): number[] {
  return Array.from({ length: values.length / size }, (_, row) => {
    const best = largestInRow(values, row * size, size);
    return size === 1 && best !== NO_CLASS ? Number(values[row]! > 0.5) : best;
  });
}
