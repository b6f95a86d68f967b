// Gradients of resized images. Upstream's ignore half-pixel centers, and that of nearest neighbours is wrong where a
// single pixel is resized with aligned corners.
import {
  type BackendKernel,
  type ResizeAttributes,
  type ResizedAxis,
  resizedImages,
} from '@rebatch/core/kernels';
import { kernel } from './kernel.ts';

/** inputs {dy: NHWC, images: NHWC} -> the gradient that reaches images. */
function resizeGradient(name: string, nearest: boolean): BackendKernel {
  return kernel<ResizeAttributes>(name, ({ kernels, attributes, shapeOf, required, values, compute }) => {
    const images = resizedImages(name, shapeOf('images'), shapeOf('dy'), nearest, attributes);
    const { shape, outHeight, outWidth, rows, columns } = images;
    const dy = required('dy', shape[0] * outHeight * outWidth * shape[3]);
    const ofRows = 12 * outHeight;
    return compute([...shape], ofRows + 12 * outWidth, (dx, scratch) => {
      const memory = values().buffer;
      write(rows, memory, scratch);
      write(columns, memory, scratch + ofRows);
      kernels.resizeGradient(...[dy, dx, scratch, scratch + ofRows], ...[...shape, outHeight, outWidth]);
    });
  });
}

function write({ below, above, part }: ResizedAxis, memory: ArrayBufferLike, address: number): void {
  const places = new Int32Array(memory, address, 2 * below.length);
  places.set(below);
  places.set(above, below.length);
  new Float32Array(memory, address + 8 * below.length, part.length).set(part);
}

export const resizeNearestNeighborGradient = resizeGradient('ResizeNearestNeighborGrad', true);
export const resizeBilinearGradient = resizeGradient('ResizeBilinearGrad', false);
