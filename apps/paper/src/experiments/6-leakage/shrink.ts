import type { LabeledImages } from '@rebatch/images';

/** The images averaged over squares of so many pixels. */
export function shrink(images: LabeledImages, factor: number): LabeledImages {
  const [height, width, channels] = images.shape;
  if (channels !== 1 || height % factor !== 0 || width % factor !== 0) {
    throw new RangeError(
      `shrink: expected gray images of a multiple of ${factor} pixels, got ${images.shape}`,
    );
  }
  const [rows, columns] = [height / factor, width / factor];
  const small = new Uint8Array(images.size * rows * columns);
  for (let at = 0; at < small.length; at++) {
    const [top, left] = [factor * Math.floor(at / columns), factor * (at % columns)];
    let sum = 0;
    for (let y = top; y < top + factor; y++) {
      for (let x = left; x < left + factor; x++) sum += images.images[y * width + x]!;
    }
    small[at] = Math.round(sum / factor ** 2);
  }
  return { ...images, shape: [rows, columns, 1], images: small };
}
