import { expect, it } from 'vitest';
import { KernelInputError } from './errors.ts';
import { resizedAxis, resizedImages } from './resized-images.ts';

/** Each place of the resized axis as a mixture of the values 0, 1, 2 and so on. */
function places(from: number, to: number, nearest: boolean, attributes = {}): number[] {
  const { below, above, part } = resizedAxis(from, to, nearest, attributes);
  return Array.from(part, (share, i) => below[i]! * (1 - share) + above[i]! * share);
}

it.each([
  [2, 4, {}, [0, 0, 1, 1], [0, 0.5, 1, 1]],
  [2, 4, { alignCorners: true }, [0, 0, 1, 1], [0, 1 / 3, 2 / 3, 1]],
  [2, 4, { halfPixelCenters: true }, [0, 0, 1, 1], [0, 0.25, 0.75, 1]],
  [4, 2, {}, [0, 2], [0, 2]],
  [4, 2, { alignCorners: true }, [0, 3], [0, 3]],
  [4, 2, { halfPixelCenters: true }, [1, 3], [0.5, 2.5]],
  [1, 3, { alignCorners: true }, [0, 0, 0], [0, 0, 0]],
  [3, 1, { alignCorners: true }, [0], [0]],
])('%i places resized to %i with %o', (from, to, attributes, nearest, bilinear) => {
  expect(places(from, to, true, attributes)).toEqual(nearest);
  places(from, to, false, attributes).forEach((place, i) => {
    expect(place).toBeCloseTo(bilinear[i]!, 6);
  });
});

it('takes batches of images, rows and columns by themselves', () => {
  const { shape, outHeight, outWidth, rows, columns } = resizedImages(
    'ResizeNearestNeighborGrad',
    [5, 2, 3, 7],
    [5, 4, 1, 7],
    true,
    {},
  );
  expect({ shape, outHeight, outWidth }).toEqual({ shape: [5, 2, 3, 7], outHeight: 4, outWidth: 1 });
  expect(rows).toEqual(resizedAxis(2, 4, true, {}));
  expect(columns).toEqual(resizedAxis(3, 1, true, {}));
});

it.each([
  ['of another rank', [2, 3, 7], [5, 4, 1, 7], 'got shapes [2,3,7] and [5,4,1,7].'],
  ['that are missing', [5, 2, 3, 7], undefined, 'got shapes [5,2,3,7] and [undefined].'],
])('refuses images %s', (_, images, dy, message) => {
  const refused = () => resizedImages('ResizeBilinearGrad', images, dy, false, {});
  expect(refused).toThrow(KernelInputError);
  expect(refused).toThrow(`ResizeBilinearGrad: expected images and dy of rank 4 (NHWC), ${message}`);
});
