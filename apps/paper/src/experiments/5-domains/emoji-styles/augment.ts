// Makes more pictures from few, for data sets that are too small to train on as they are.

import type { LabeledImages } from '@rebatch/images';
import seedrandom from 'seedrandom';

export interface Augmentation {
  /** How often each image comes: once as it is, the rest changed. */
  readonly copies: number;
  /** By how many pixels a copy is moved at most, each way; what moves in is white. */
  readonly shift: number;
  readonly seed: number;
}

/** The images, then copies of them that are moved, and half of which are mirrored left to right. */
export function augment(images: LabeledImages, { copies, shift, seed }: Augmentation): LabeledImages {
  const random = seedrandom(`augment ${seed}`);
  const { size, shape } = images;
  const length = shape[0] * shape[1] * shape[2];
  const all = new Uint8Array(size * copies * length).fill(255);
  const labels = new Uint8Array(size * copies);
  const offset = () => Math.floor(random() * (2 * shift + 1)) - shift;
  for (let k = 0; k < size * copies; k++) {
    const [from, to] = [k % size, all.subarray(k * length, (k + 1) * length)];
    const image = images.images.subarray(from * length, (from + 1) * length);
    labels[k] = images.labels[from]!;
    if (k < size) to.set(image);
    else moveInto(to, image, shape, { down: offset(), right: offset(), mirror: random() < 0.5 });
  }
  return { ...images, size: size * copies, images: all, labels };
}

function moveInto(
  to: Uint8Array,
  image: Uint8Array,
  [height, width, channels]: LabeledImages['shape'],
  { down, right, mirror }: { down: number; right: number; mirror: boolean },
): void {
  for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
    for (let x = Math.max(0, right); x < Math.min(width, width + right); x++) {
      const [fromX, fromY] = [mirror ? width - 1 - (x - right) : x - right, y - down];
      const from = (fromY * width + fromX) * channels;
      to.set(image.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
}
