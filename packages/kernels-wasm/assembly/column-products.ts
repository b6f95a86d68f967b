// C += A^T . B over n rows of both. A block of 4 columns of A by 8 of B stays in registers over the rows, and is then
// added to float64 sums, so that the error does not grow with the number of rows.
import { multiplyAdd } from './multiply-add';
import { addTo64, f32At, f64At } from './numbers';

/** a: n rows of `depth` values, b: n rows of `wide`, both multiples of 4. sums: [depth, wide] float64. */
export function addColumnProducts(a: usize, depth: i32, b: usize, wide: i32, n: i32, sums: usize): void {
  for (let k = 0; k < depth; k += 4) {
    let c = 0;
    for (; c + 8 <= wide; c += 8) {
      block4x8(f32At(a, k), depth, f32At(b, c), wide, n, f64At(sums, k * wide + c));
    }
    if (c < wide) block4x4(f32At(a, k), depth, f32At(b, c), wide, n, f64At(sums, k * wide + c));
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
