// Arrays of float64 numbers with a shape: what the references of this package read and write.

/** Row-major values with a shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** From where to where values lie. */
export type Range = readonly [low: number, high: number];

export const sizeOf = (shape: readonly number[]) => shape.reduce((total, length) => total * length, 1);

/** How far neighbours along each axis lie apart. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Calls `visit` with every index of a shape, in order; the array is the same one each time. */
export function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], flat: number) => void,
): void {
  const index = new Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Where an index lies in a row-major array. */
export function flatOf(index: readonly number[], shape: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis]! + index[axis]!;
  return flat;
}

/** The values that a function gives for every index. */
export function valuesBy(shape: readonly number[], valueAt: (index: readonly number[]) => number): Values {
  const data = new Float64Array(sizeOf(shape));
  forEachIndex(shape, (index, flat) => {
    data[flat] = valueAt(index);
  });
  return { shape: [...shape], data };
}

/**
 * Distinct values from `low` to `high` in a shuffled order, the same ones for the same arguments. They are evenly
 * spaced, so that no small step makes another one the largest, and none is exactly in the middle, where many functions
 * have a corner. Each is a float32.
 */
export function distinct(shape: readonly number[], low: number, high: number, seed = 1): Values {
  const size = sizeOf(shape);
  const data = new Float64Array(size);
  for (let i = 0; i < size; i++) data[i] = Math.fround(low + ((high - low) * (i + 0.3)) / size);
  let state = seed * 7919 + size;
  for (let i = size - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 4294967296) * (i + 1));
    [data[i], data[other]] = [data[other]!, data[i]!];
  }
  return { shape: [...shape], data };
}

/** Whole numbers from 0 to `below`, not included; the same ones for the same arguments. */
export function indices(shape: readonly number[], below: number, seed = 1): Values {
  const { data } = distinct(shape, 0, below, seed);
  return { shape: [...shape], data: data.map((value) => Math.min(below - 1, Math.floor(value))) };
}
