// Gray images to other sizes.

/** A gray image: height x width values, row by row. */
export interface Gray {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** The smallest part of an image that holds all values above the threshold; throws if there is none. */
export function cropToInk({ width, height, values }: Gray, threshold: number): Gray {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!(values[y * width + x]! > threshold)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) throw new RangeError(`cropToInk: no value above ${threshold}`);
  const inked = { width: right - left + 1, height: bottom - top + 1 };
  const cut = new Float32Array(inked.width * inked.height);
  for (let y = 0; y < inked.height; y++) {
    const from = (top + y) * width + left;
    cut.set(values.subarray(from, from + inked.width), y * inked.width);
  }
  return { ...inked, values: cut };
}

/**
 * Linear interpolation to larger sizes; to smaller ones, with the filter widened by the scale, so that no pixel is
 * passed over (the triangle filter of image libraries). Constant images stay constant.
 */
export function resample({ width, height, values }: Gray, to: { width: number; height: number }): Gray {
  const rows = new Float32Array(height * to.width);
  for (const [x, { first, weights }] of taps(width, to.width).entries()) {
    for (let y = 0; y < height; y++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * values[y * width + first + i]!;
      rows[y * to.width + x] = sum;
    }
  }
  const result = new Float32Array(to.height * to.width);
  for (const [y, { first, weights }] of taps(height, to.height).entries()) {
    for (let x = 0; x < to.width; x++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * rows[(first + i) * to.width + x]!;
      result[y * to.width + x] = sum;
    }
  }
  return { ...to, values: result };
}

/** The source pixels from `first` that a target pixel is made of, and their weights, which sum to 1. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

function taps(from: number, to: number): Taps[] {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - reach));
    const last = Math.min(from - 1, Math.ceil(center + reach) - 1);
    const raw = Array.from({ length: last - first + 1 }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - center) / reach),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map((weight) => weight / sum) };
  });
}
