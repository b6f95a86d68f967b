// prelu with slopes that are not simply repeated. Upstream takes alpha over and over again along x, whatever its shape:
// right for one slope per channel, or per value of a sample; wrong for one per row.
import { type BackendKernel, sizeOf } from '@rebatch/core/kernels';
import { kernel } from './kernel.ts';

/** inputs {x, alpha: broadcasts to x} -> x, times alpha where it is negative. */
export const prelu: BackendKernel = {
  ...kernel('Prelu', ({ shapeOf, required, values, compute }) => {
    const [shape, slopes] = [shapeOf('x')!, shapeOf('alpha')!];
    const [x, alpha] = [required('x', sizeOf(shape)) / 4, required('alpha', sizeOf(slopes)) / 4];
    return compute([...shape], 0, (out) => {
      const memory = values();
      const places = placesOf(slopes, shape);
      for (let i = 0; i < places.length; i++) {
        const value = memory[x + i]!;
        memory[out / 4 + i] = value < 0 ? value * memory[alpha + places[i]!]! : value;
      }
    });
  }),
  leaves: (_, { x, alpha }) =>
    x?.dtype !== 'float32' || alpha?.dtype !== 'float32' || isRepeated(alpha.shape, x.shape),
};

/** Whether the values of one tensor, over and over again, are what it broadcasts to. */
function isRepeated(shape: readonly number[], to: readonly number[]): boolean {
  const own = shape.slice(shape.findIndex((length) => length > 1));
  return sizeOf(shape) === 1 || own.every((length, axis) => length === to[to.length - own.length + axis]);
}

/** Where each value of a tensor that a smaller one broadcasts to comes from. */
function placesOf(shape: readonly number[], to: readonly number[]): Int32Array {
  const steps = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! > 1) steps[to.length - shape.length + axis] = step;
    step *= shape[axis]!;
  }
  let places = Int32Array.of(0);
  for (const [axis, length] of to.entries()) {
    const longer = new Int32Array(places.length * length);
    for (let i = 0; i < longer.length; i++) {
      longer[i] = places[Math.floor(i / length)]! + (i % length) * steps[axis]!;
    }
    places = longer;
  }
  return places;
}
