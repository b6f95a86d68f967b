// Gradients of resized images: each dy goes back to the pixels that its own is made of, in the shares that they had.
// Upstream's for nearest neighbours reads every sample's dy but the first's from the wrong place, and does not end where
// one pixel is resized with aligned corners; its one for bilinear mixing refuses images that are not square, and both
// ignore half-pixel centers.
import {
  type BackendKernel,
  type ResizeAttributes,
  type ResizedAxis,
  resizedImages,
} from '@rebatch/core/kernels';
import { kernel } from './kernel.ts';

/** inputs {dy: NHWC, images: NHWC} -> the gradient that reaches images. */
function resizeGradient(name: string, nearest: boolean): BackendKernel {
  return kernel<ResizeAttributes>(name, ({ attributes, shapeOf, required, output }) => {
    const images = resizedImages(name, shapeOf('images'), shapeOf('dy'), nearest, attributes);
    const { shape, outHeight, outWidth, rows, columns } = images;
    const [batch, height, width, channels] = shape;
    const dy = required('dy', batch * outHeight * outWidth * channels);
    const dx = new Float32Array(batch * height * width * channels);
    const image = new Float64Array(height * width * channels);
    for (let b = 0; b < batch; b++) {
      image.fill(0);
      returnImage(dy, b * outHeight * outWidth * channels, image, width, channels, rows, columns);
      dx.set(image, b * image.length);
    }
    return output(shape, dx);
  });
}

function returnImage(
  dy: Float32Array,
  from: number,
  image: Float64Array,
  width: number,
  channels: number,
  rows: ResizedAxis,
  columns: ResizedAxis,
): void {
  let at = from;
  const addTo = (row: number, j: number, share: number) => {
    if (share === 0) return;
    const ofColumn = columns.part[j]!;
    add(dy, at, image, (row + columns.below[j]!) * channels, share * (1 - ofColumn), channels);
    if (ofColumn > 0) add(dy, at, image, (row + columns.above[j]!) * channels, share * ofColumn, channels);
  };
  for (let i = 0; i < rows.part.length; i++) {
    const ofRow = rows.part[i]!;
    for (let j = 0; j < columns.part.length; j++, at += channels) {
      addTo(rows.below[i]! * width, j, 1 - ofRow);
      addTo(rows.above[i]! * width, j, ofRow);
    }
  }
}

function add(
  dy: Float32Array,
  from: number,
  image: Float64Array,
  to: number,
  share: number,
  channels: number,
): void {
  for (let c = 0; c < channels; c++) image[to + c]! += share * dy[from + c]!;
}

export const resizeNearestNeighborGradient = resizeGradient('ResizeNearestNeighborGrad', true);
export const resizeBilinearGradient = resizeGradient('ResizeBilinearGrad', false);
