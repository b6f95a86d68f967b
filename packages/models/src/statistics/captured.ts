// What was read from models, remembered for as long as someone holds it: a model can then be put back to what it was,
// whatever that is. A model may hold NaN or negative variances, which nobody may bring; but who undoes a change must
// not be refused.

/** What was read into an array, beside the array itself, which its holder may change. */
const captured = new WeakMap<object, Float64Array>();

/** Remembers the values that are in an array now. */
export function remember(values: Float64Array): void {
  captured.set(values, values.slice());
}

/** Whether an array is one that was read from a model, and still holds what was read. */
export function isAsCaptured(values: unknown): boolean {
  if (typeof values !== 'object' || values === null) return false;
  const read = captured.get(values);
  return read?.every((value, i) => Object.is(value, (values as ArrayLike<number>)[i])) ?? false;
}
