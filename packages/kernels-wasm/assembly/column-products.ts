// C += A^T . B over n rows of both. A block of 4 columns of A by 8 of B stays in registers over the rows, and is then
// added to float64 sums, so that the error does not grow with the number of rows. Of 6 columns where multiply-adds are
// fused, as in panel-products.ts: of 4 there are too few sums to keep a machine busy that takes a while for each.
import { multiplyAdd } from './multiply-add';
import { addTo64, f32At, f64At } from './numbers';

/** a: n rows of `depth` values, b: n rows of `wide`, both multiples of 4. sums: [depth, wide] float64. */
export function addColumnProducts(a: usize, depth: i32, b: usize, wide: i32, n: i32, sums: usize): void {
  const end = wide & ~7;
  let k = 0;
  while (k < depth) {
    // What is left for blocks of 6 is a multiple of 6.
    const six = ASC_FEATURE_RELAXED_SIMD && (depth - k) % 6 == 0;
    const from = f32At(a, k);
    const to = f64At(sums, k * wide);
    for (let c = 0; c < end; c += 8) {
      if (six) block6x8(from, depth, f32At(b, c), wide, n, f64At(to, c));
      else block4x8(from, depth, f32At(b, c), wide, n, f64At(to, c));
    }
    k += six ? 6 : 4;
  }
  if (end == wide) return;
  for (k = 0; k < depth; k += 4) {
    block4x4(f32At(a, k), depth, f32At(b, end), wide, n, f64At(sums, k * wide + end));
  }
}

function block4x8(a: usize, strideA: i32, b: usize, strideB: i32, n: i32, sums: usize): void {
  block(4, a, strideA, b, strideB, n, sums);
}

function block6x8(a: usize, strideA: i32, b: usize, strideB: i32, n: i32, sums: usize): void {
  block(6, a, strideA, b, strideB, n, sums);
}

/** `columns` is known where this is inlined. */
// @ts-ignore: decorator
@inline
function block(columns: i32, a: usize, strideA: i32, b: usize, strideB: i32, n: i32, sums: usize): void {
  const stepA = (<usize>strideA) << 2;
  const stepB = (<usize>strideB) << 2;
  let s00 = f32x4.splat(0), s10 = f32x4.splat(0), s20 = f32x4.splat(0);
  let s01 = f32x4.splat(0), s11 = f32x4.splat(0), s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0), s40 = f32x4.splat(0), s50 = f32x4.splat(0);
  let s31 = f32x4.splat(0), s41 = f32x4.splat(0), s51 = f32x4.splat(0);
  for (let p = 0; p < n; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let k = v128.load32_splat(a);
    s00 = multiplyAdd(k, b0, s00);
    s01 = multiplyAdd(k, b1, s01);
    k = v128.load32_splat(a, 4);
    s10 = multiplyAdd(k, b0, s10);
    s11 = multiplyAdd(k, b1, s11);
    k = v128.load32_splat(a, 8);
    s20 = multiplyAdd(k, b0, s20);
    s21 = multiplyAdd(k, b1, s21);
    k = v128.load32_splat(a, 12);
    s30 = multiplyAdd(k, b0, s30);
    s31 = multiplyAdd(k, b1, s31);
    if (columns > 4) {
      k = v128.load32_splat(a, 16);
      s40 = multiplyAdd(k, b0, s40);
      s41 = multiplyAdd(k, b1, s41);
      k = v128.load32_splat(a, 20);
      s50 = multiplyAdd(k, b0, s50);
      s51 = multiplyAdd(k, b1, s51);
    }
    a += stepA;
    b += stepB;
  }
  const line = (<usize>strideB) << 3;
  addPair(sums, s00, s01);
  addPair((sums += line), s10, s11);
  addPair((sums += line), s20, s21);
  addPair((sums += line), s30, s31);
  if (columns > 4) {
    addPair((sums += line), s40, s41);
    addPair(sums + line, s50, s51);
  }
}

// @ts-ignore: decorator
@inline
function addPair(sums: usize, low: v128, high: v128): void {
  addTo64(sums, low);
  addTo64(sums + 32, high);
}

function block4x4(a: usize, strideA: i32, b: usize, strideB: i32, n: i32, sums: usize): void {
  const stepA = (<usize>strideA) << 2;
  const stepB = (<usize>strideB) << 2;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  for (let p = 0; p < n; p++) {
    const b0 = v128.load(b);
    s0 = multiplyAdd(v128.load32_splat(a), b0, s0);
    s1 = multiplyAdd(v128.load32_splat(a, 4), b0, s1);
    s2 = multiplyAdd(v128.load32_splat(a, 8), b0, s2);
    s3 = multiplyAdd(v128.load32_splat(a, 12), b0, s3);
    a += stepA;
    b += stepB;
  }
  const line = (<usize>strideB) << 3;
  addTo64(sums, s0);
  addTo64(sums + line, s1);
  addTo64(sums + 2 * line, s2);
  addTo64(sums + 3 * line, s3);
}
