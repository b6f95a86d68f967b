// The gradient for the filter of a 3x3 convolution with stride 1, by Winograd's algorithm: the gradient at the output, in
// tiles of 4x4, is a filter over tiles of the input; F(3x3, 4x4), at the same points as F(4x4, 3x3).
import { addColumnProducts } from './column-products';
import { batch, inChannels, inHeight, inWidth, outHeight, outWidth, padLeft, padTop } from './geometry';
import { f32At, f64At } from './numbers';
import { gradientStrip, gradientTiles, inputStrip, inputTiles } from './winograd-strips';
import { GAP, placeFactors, POINTS, TILE } from './winograd-transforms';

const TAPS: i32 = 3;

/**
 * x: NHWC, dy: NHWC, of channels that are multiples of 4. out: [3, 3, inChannels, outChannels]. See winogradConvolution;
 * zeros: a row of x or of dy, whichever is longer; gradients: 36 * (strips * columns * outChannels + GAP) floats; rows: 24 *
 * columns * outChannels; sums: 36 * (inChannels * outChannels + GAP) float64.
 */
export function winogradFilterGradient(
  x: usize, dy: usize, out: usize, factors: usize,
  strip: usize, zeros: usize, tiles: usize, gradients: usize, rows: usize, sums: usize, outChannels: i32, strips: i32,
): void {
  const across = (outWidth + TILE - 1) / TILE;
  const down = (outHeight + TILE - 1) / TILE;
  const line = inWidth * inChannels;
  const outLine = outWidth * outChannels;
  const stripLine = (TILE * across + TAPS - 1) * inChannels;
  const rowsLine = TILE * across * outChannels;
  const size = inChannels * outChannels;
  const plane = size + GAP;
  placeFactors(factors);
  memory.fill(strip, 0, (<usize>(POINTS * stripLine)) << 2);
  memory.fill(zeros, 0, (<usize>max(line, outLine)) << 2);
  memory.fill(rows, 0, (<usize>(POINTS * rowsLine)) << 2);
  memory.fill(sums, 0, (<usize>(POINTS * POINTS * plane)) << 3);
  const all = batch * down;
  for (let first = 0; first < all; first += strips) {
    const n = min(strips, all - first);
    const inPlane = n * across * inChannels + GAP;
    const outPlane = n * across * outChannels + GAP;
    for (let s = 0; s < n; s++) {
      const b = (first + s) / down;
      const y = ((first + s) % down) * TILE;
      const image = f32At(x, b * inHeight * line);
      inputStrip(image, y - padTop, inHeight, line, strip, stripLine, padLeft * inChannels, zeros);
      inputTiles(strip, stripLine, f32At(tiles, s * across * inChannels), inPlane, across, inChannels);
      gradientStrip(f32At(dy, b * outHeight * outLine), y, outHeight, outLine, rows, rowsLine, zeros);
      gradientTiles(rows, rowsLine, f32At(gradients, s * across * outChannels), outPlane, across, outChannels);
    }
    for (let point = 0; point < POINTS * POINTS; point++) {
      addColumnProducts(
        f32At(tiles, point * inPlane), inChannels, f32At(gradients, point * outPlane), outChannels, n * across,
        f64At(sums, point * plane),
      );
    }
  }
  for (let i = 0; i < size; i += 2) interpolate(f64At(sums, i), plane, f32At(out, i), size);
}

/** 6x6 points to 3x3 taps, two channels at once. The rows, once interpolated, take the place of their first points. */
function interpolate(sums: usize, plane: i32, out: usize, size: i32): void {
  const step = (<usize>plane) << 3;
  const tap = (<usize>size) << 2;
  const row = <usize>POINTS * step;
  for (let y = 0; y < POINTS; y++) taps(sums + (<usize>y) * row, step, sums + (<usize>y) * row, step, false);
  for (let x = 0; x < TAPS; x++) {
    taps(sums + (<usize>x) * step, row, out + (<usize>x) * tap, <usize>TAPS * tap, true);
  }
}

// @ts-ignore: decorator
@inline
function taps(from: usize, step: usize, to: usize, apart: usize, narrow: bool): void {
  const m1 = v128.load(from + step);
  const m2 = v128.load(from + 2 * step);
  const m3 = v128.load(from + 3 * step);
  const m4 = v128.load(from + 4 * step);
  const ones = f64x2.add(m1, m2), twos = f64x2.add(m3, m4);
  const y0 = f64x2.add(f64x2.add(v128.load(from), ones), twos);
  const y1 = f64x2.add(f64x2.sub(m1, m2), f64x2.mul(f64x2.splat(2), f64x2.sub(m3, m4)));
  const y2 = f64x2.add(f64x2.add(ones, v128.load(from + 5 * step)), f64x2.mul(f64x2.splat(4), twos));
  put(to, y0, narrow);
  put(to + apart, y1, narrow);
  put(to + 2 * apart, y2, narrow);
}

// @ts-ignore: decorator
@inline
function put(to: usize, v: v128, narrow: bool): void {
  if (narrow) v128.store64_lane(to, f32x4.demote_f64x2_zero(v), 0);
  else v128.store(to, v);
}
