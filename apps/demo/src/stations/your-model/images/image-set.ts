import * as tf from '@tensorflow/tfjs-core';
import type { Scaling } from '../settings.ts';

/** Images of one size, as the station keeps them. */
export interface ImageSet {
  readonly count: number;
  /** Height, width and channels. */
  readonly size: readonly [number, number, number];
  /** count x height x width x channels, 0 to 255. */
  readonly pixels: Uint8Array;
  /** One per image. */
  readonly classes: Int32Array | undefined;
  readonly paths: readonly string[];
}

/** The pixels of a canvas, RGBA, in so many channels: gray as luma, RGB, or all four. */
export function channelsOfRgba(rgba: ArrayLike<number>, channels: number): Uint8Array {
  const count = rgba.length / 4;
  const pixels = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [rgba[4 * i] as number, rgba[4 * i + 1] as number, rgba[4 * i + 2] as number];
    if (channels === 1) {
      // ITU-R BT.601, as PIL and Keras turn colours to gray.
      pixels[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
      continue;
    }
    for (let c = 0; c < channels; c++) pixels[i * channels + c] = rgba[4 * i + c] as number;
  }
  return pixels;
}

/** Whether any pixel is not gray. */
export function hasColor(rgba: ArrayLike<number>): boolean {
  for (let i = 0; i < rgba.length; i += 4) {
    if (rgba[i] !== rgba[i + 1] || rgba[i] !== rgba[i + 2]) return true;
  }
  return false;
}

/** The same image for a canvas. */
export function rgbaOf({ size, pixels }: ImageSet, index: number): Uint8ClampedArray {
  const [height, width, channels] = size;
  const rgba = new Uint8ClampedArray(4 * height * width).fill(255);
  const from = index * height * width * channels;
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      rgba[4 * i + c] = pixels[from + i * channels + (channels === 1 ? 0 : c)] as number;
    }
  }
  return rgba;
}

/** The images at these indices as a model's input: [indices, height, width, channels]. */
export function inputsOf(set: ImageSet, indices: readonly number[], scaling: Scaling): tf.Tensor4D {
  const length = set.size[0] * set.size[1] * set.size[2];
  const values = new Float32Array(indices.length * length);
  const [factor, offset] = { '0..1': [1 / 255, 0], '-1..1': [1 / 127.5, -1], '0..255': [1, 0] }[scaling] as [
    number,
    number,
  ];
  indices.forEach((index, i) => {
    for (let p = 0; p < length; p++) {
      values[i * length + p] = (set.pixels[index * length + p] as number) * factor + offset;
    }
  });
  return tf.tensor4d(values, [indices.length, ...set.size]);
}

/** These images in batches; they can be gone through several times. */
export function batchesOf(
  set: ImageSet,
  indices: readonly number[],
  { batchSize, scaling, labels }: { batchSize: number; scaling: Scaling; labels: boolean },
): Iterable<tf.Tensor | { xs: tf.Tensor; ys: tf.Tensor }> {
  return {
    *[Symbol.iterator]() {
      for (let from = 0; from < indices.length; from += batchSize) {
        const batch = indices.slice(from, from + batchSize);
        const xs = inputsOf(set, batch, scaling);
        const { classes } = set;
        if (!labels || classes === undefined) yield xs;
        else {
          yield {
            xs,
            ys: tf.tensor1d(
              batch.map((index) => classes[index] as number),
              'int32',
            ),
          };
        }
      }
    },
  };
}

/** 0 to count - 1 in an order that the seed decides: mulberry32 and Fisher-Yates. */
export function shuffled(count: number, seed = 1): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
