// prelu with slopes that are not simply repeated. Upstream takes alpha over and over again along x, whatever its shape:
// right for one slope per channel, or per value of a sample; wrong for one per row.
import { type BackendKernel, sizeOf } from '@rebatch/core/kernels';
import { placesOf } from './broadcast.ts';
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
