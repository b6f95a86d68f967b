// Makes the forward pass and the gradients of an op out of its definition, in float64.
import { flatOf, forEachIndex, sizeOf, type Values } from './values.ts';

export type Inputs = Readonly<Record<string, Values>>;

/** What an op should give. */
export interface Expected {
  readonly shape: readonly number[];
  readonly y: Float64Array;
  /** The gradients of sum(dy * y), by the names of the inputs that have one. */
  gradients(dy: Float64Array): Readonly<Record<string, Float64Array>>;
}

/**
 * An op whose values are weighted sums of values of one input: y[to] = sum of weight * x[from]. A maximum is one, too,
 * with a weight of 1 at the largest value.
 */
export function weightedSums(
  shape: readonly number[],
  name: string,
  x: Values,
  terms: (visit: (to: number, from: number, weight: number) => void) => void,
): Expected {
  const y = new Float64Array(sizeOf(shape));
  terms((to, from, weight) => {
    y[to]! += weight * x.data[from]!;
  });
  return {
    shape,
    y,
    gradients: (dy) => {
      const dx = new Float64Array(x.data.length);
      terms((to, from, weight) => {
        dx[from]! += weight * dy[to]!;
      });
      return { [name]: dx };
    },
  };
}

/** An op whose values are sums of products of two inputs' values: y[to] = sum of a[i] * b[j]. */
export function sumsOfProducts(
  shape: readonly number[],
  [nameA, a]: readonly [string, Values],
  [nameB, b]: readonly [string, Values],
  terms: (visit: (to: number, inA: number, inB: number) => void) => void,
): Expected {
  const y = new Float64Array(sizeOf(shape));
  terms((to, inA, inB) => {
    y[to]! += a.data[inA]! * b.data[inB]!;
  });
  return {
    shape,
    y,
    gradients: (dy) => {
      const da = new Float64Array(a.data.length);
      const db = new Float64Array(b.data.length);
      terms((to, inA, inB) => {
        da[inA]! += dy[to]! * b.data[inB]!;
        db[inB]! += dy[to]! * a.data[inA]!;
      });
      return { [nameA]: da, [nameB]: db };
    },
  };
}

// Near the cube root of the rounding error of float64, where a central difference is best.
const STEP = 1e-5;

/** The shape that two shapes broadcast to. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [left, right] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    return left === 1 ? right : left;
  });
}

/** An op that works value by value on inputs that broadcast. Slopes are central differences. */
export function valueByValue(inputs: Inputs, f: (...values: number[]) => number): Expected {
  const all = Object.entries(inputs);
  const shape = all.map(([, { shape }]) => shape).reduce(broadcast);
  const places = all.map(([, input]) => {
    const missing = shape.length - input.shape.length;
    const at = new Int32Array(sizeOf(shape));
    forEachIndex(shape, (index, flat) => {
      const own = input.shape.map((length, axis) => (length === 1 ? 0 : index[missing + axis]!));
      at[flat] = flatOf(own, input.shape);
    });
    return at;
  });
  const valuesAt = (flat: number) => all.map(([, { data }], i) => data[places[i]![flat]!]!);
  const y = new Float64Array(sizeOf(shape)).map((_, flat) => f(...valuesAt(flat)));
  return {
    shape,
    y,
    gradients: (dy) => {
      const slopes = all.map(([, { data }]) => new Float64Array(data.length));
      for (let flat = 0; flat < dy.length; flat++) {
        const values = valuesAt(flat);
        slopes.forEach((slope, i) => {
          const moved = (by: number) => f(...values.map((value, j) => (i === j ? value + by : value)));
          slope[places[i]![flat]!]! += (dy[flat]! * (moved(STEP) - moved(-STEP))) / (2 * STEP);
        });
      }
      return Object.fromEntries(all.map(([name], i) => [name, slopes[i]!]));
    },
  };
}

/** Any smooth op on small inputs: gradients are central differences of the whole of it. */
export function byDifferences(inputs: Inputs, forward: (inputs: Inputs) => Values): Expected {
  const { shape, data } = forward(inputs);
  return {
    shape,
    y: data,
    gradients: (dy) => {
      const gradientOf = (name: string) => {
        const { shape, data } = inputs[name]!;
        return data.map((value, at) => {
          const moved = (by: number) =>
            forward({ ...inputs, [name]: { shape, data: data.with(at, value + by) } }).data;
          const [above, below] = [moved(STEP), moved(-STEP)];
          return dy.reduce((sum, d, i) => sum + d * (above[i]! - below[i]!), 0) / (2 * STEP);
        });
      };
      return Object.fromEntries(Object.keys(inputs).map((name) => [name, gradientOf(name)]));
    },
  };
}

/** An op without gradients. */
export function fixed({ shape, data }: Values): Expected {
  return { shape, y: data, gradients: () => ({}) };
}
