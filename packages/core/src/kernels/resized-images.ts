// Resizing mixes rows, then columns: what each place of a resized axis is made of, and so where its gradient goes back to.
import { KernelInputError } from './errors.ts';

/** Attributes of the gradients of tf.image.resizeNearestNeighbor and tf.image.resizeBilinear. */
export interface ResizeAttributes {
  readonly alignCorners?: boolean;
  readonly halfPixelCenters?: boolean;
}

/** For each place of the resized axis, the two places of the original that it lies between, which may be the same. */
export interface ResizedAxis {
  readonly below: Int32Array;
  readonly above: Int32Array;
  /** The weight of `above`; that of `below` is what is missing to 1. */
  readonly part: Float32Array;
}

/** Images and the gradient of what they were resized to, both NHWC. */
export interface ResizedImages {
  /** That of the images. */
  readonly shape: readonly [batch: number, height: number, width: number, channels: number];
  readonly outHeight: number;
  readonly outWidth: number;
  readonly rows: ResizedAxis;
  readonly columns: ResizedAxis;
}

/**
 * What the gradient of resized images needs to know of the shapes that it is given.
 *
 * @param images the shape of the images; undefined if there are none.
 * @param dy that of the gradient.
 * @throws {KernelInputError} unless both have rank 4.
 */
export function resizedImages(
  kernelName: string,
  images: readonly number[] | undefined,
  dy: readonly number[] | undefined,
  nearest: boolean,
  attributes: ResizeAttributes,
): ResizedImages {
  if (images?.length !== 4 || dy?.length !== 4) {
    throw new KernelInputError(
      `${kernelName}: expected images and dy of rank 4 (NHWC), got shapes [${images}] and [${dy}].`,
    );
  }
  const shape = images as ResizedImages['shape'];
  const [, outHeight, outWidth] = dy as ResizedImages['shape'];
  const rows = resizedAxis(shape[1], outHeight, nearest, attributes);
  const columns = resizedAxis(shape[2], outWidth, nearest, attributes);
  return { shape, outHeight, outWidth, rows, columns };
}

/**
 * How an axis of `from` values becomes one of `to`, as TensorFlow.js's forward kernels do it.
 *
 * @param nearest each value is one of the original, instead of a mixture of two.
 */
export function resizedAxis(
  from: number,
  to: number,
  nearest: boolean,
  { alignCorners = false, halfPixelCenters = false }: ResizeAttributes,
): ResizedAxis {
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const below = new Int32Array(to);
  const above = new Int32Array(to);
  const part = new Float32Array(to);
  const inside = (place: number) => Math.min(from - 1, Math.max(0, place));
  for (let i = 0; i < to; i++) {
    const source = halfPixelCenters ? (i + 0.5) * scale : i * scale;
    if (nearest) {
      below[i] = inside(alignCorners ? Math.round(source) : Math.floor(source));
      above[i] = below[i]!;
    } else {
      const shifted = halfPixelCenters ? source - 0.5 : source;
      below[i] = inside(Math.floor(shifted));
      above[i] = inside(Math.ceil(shifted));
      part[i] = shifted - Math.floor(shifted);
    }
  }
  return { below, above, part };
}
