// dW = columns^T . dy, over tiles of output positions. A 4 x 8 block of dW stays in registers over a tile and is then
// added to float64 sums, so that the error does not grow with the number of positions.
import { addTo64, f32At, f64At } from './numbers';
import { inChannels, filterHeight, filterWidth, positions } from './geometry';
import { imageToColumns } from './columns';

/**
 * x: NHWC, dy: [positions, outChannels], out: [filterHeight, filterWidth, inChannels, outChannels].
 * With depth and wide = the patch length and outChannels rounded up to multiples of 4:
 * columns: tile * depth floats, or 0 where x itself has that form (1x1, stride 1, no padding, depth = inChannels);
 * padded: tile * wide floats, or 0 if wide = outChannels; sums: depth * wide float64.
 */
export function convFilterGradient(
  x: usize, dy: usize, out: usize, columns: usize, padded: usize, sums: usize,
  outChannels: i32, depth: i32, wide: i32, tile: i32,
): void {
  const count = positions();
  const patch = filterHeight * filterWidth * inChannels;
  memory.fill(sums, 0, (<usize>(depth * wide)) << 3);
  // The last few of each row are never written again: zeros that add nothing.
  if (columns) memory.fill(columns, 0, (<usize>(tile * depth)) << 2);
  if (padded) memory.fill(padded, 0, (<usize>(tile * wide)) << 2);
  for (let from = 0; from < count; from += tile) {
    const n = min(tile, count - from);
    if (columns) imageToColumns(x, columns, depth, from, n);
    let upstream = f32At(dy, from * outChannels);
    if (padded) {
      for (let p = 0; p < n; p++) {
        for (let c = 0; c < outChannels; c++) {
          store<f32>(f32At(padded, p * wide + c), load<f32>(f32At(upstream, p * outChannels + c)));
        }
      }
      upstream = padded;
    }
    const patches = columns ? columns : f32At(x, from * depth);
    for (let k = 0; k < depth; k += 4) {
      let c = 0;
      for (; c + 8 <= wide; c += 8) {
        block4x8(f32At(patches, k), depth, f32At(upstream, c), wide, n, f64At(sums, k * wide + c));
      }
      if (c < wide) block4x4(f32At(patches, k), depth, f32At(upstream, c), wide, n, f64At(sums, k * wide + c));
    }
  }
  for (let k = 0; k < patch; k++) {
    for (let c = 0; c < outChannels; c++) {
      store<f32>(f32At(out, k * outChannels + c), <f32>load<f64>(f64At(sums, k * wide + c)));
    }
  }
}

function block4x8(a: usize, strideA: i32, b: usize, strideB: i32, n: i32, sums: usize): void {
  const stepA = (<usize>strideA) << 2;
  const stepB = (<usize>strideB) << 2;
  let s00 = f32x4.splat(0), s10 = f32x4.splat(0), s20 = f32x4.splat(0), s30 = f32x4.splat(0);
  let s01 = f32x4.splat(0), s11 = f32x4.splat(0), s21 = f32x4.splat(0), s31 = f32x4.splat(0);
  for (let p = 0; p < n; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let k = v128.load32_splat(a);
    s00 = f32x4.add(s00, f32x4.mul(k, b0));
    s01 = f32x4.add(s01, f32x4.mul(k, b1));
    k = v128.load32_splat(a, 4);
    s10 = f32x4.add(s10, f32x4.mul(k, b0));
    s11 = f32x4.add(s11, f32x4.mul(k, b1));
    k = v128.load32_splat(a, 8);
    s20 = f32x4.add(s20, f32x4.mul(k, b0));
    s21 = f32x4.add(s21, f32x4.mul(k, b1));
    k = v128.load32_splat(a, 12);
    s30 = f32x4.add(s30, f32x4.mul(k, b0));
    s31 = f32x4.add(s31, f32x4.mul(k, b1));
    a += stepA;
    b += stepB;
  }
  const line = (<usize>strideB) << 3;
  addTo64(sums, s00);
  addTo64(sums + 32, s01);
  addTo64(sums + line, s10);
  addTo64(sums + line + 32, s11);
  addTo64(sums + 2 * line, s20);
  addTo64(sums + 2 * line + 32, s21);
  addTo64(sums + 3 * line, s30);
  addTo64(sums + 3 * line + 32, s31);
}

function block4x4(a: usize, strideA: i32, b: usize, strideB: i32, n: i32, sums: usize): void {
  const stepA = (<usize>strideA) << 2;
  const stepB = (<usize>strideB) << 2;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  for (let p = 0; p < n; p++) {
    const b0 = v128.load(b);
    s0 = f32x4.add(s0, f32x4.mul(v128.load32_splat(a), b0));
    s1 = f32x4.add(s1, f32x4.mul(v128.load32_splat(a, 4), b0));
    s2 = f32x4.add(s2, f32x4.mul(v128.load32_splat(a, 8), b0));
    s3 = f32x4.add(s3, f32x4.mul(v128.load32_splat(a, 12), b0));
    a += stepA;
    b += stepB;
  }
  const line = (<usize>strideB) << 3;
  addTo64(sums, s0);
  addTo64(sums + line, s1);
  addTo64(sums + 2 * line, s2);
  addTo64(sums + 3 * line, s3);
}
