// Rows times a matrix that is packed in panels of 8 columns: C = A . B, each row of A a row of C. A block of rows by 8
// columns stays in registers over the depth. Measured on x64, where V8 has 15 vector registers to give: 6 rows where
// multiply-adds are fused, 5 where the product needs a register of its own; a row more, and the block spills.
import { multiplyAdd } from './multiply-add';
import { f32At } from './numbers';

/** Rows that are computed together. */
const ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/**
 * a: rows of `depth` values, one every `strideA`; panels: [columns / 8][depth][8], and a last one of 4 if `columns`
 * needs it, which is a multiple of 4; to: rows of `columns` values, one every `strideTo`.
 */
export function multiplyPanels(
  a: usize, strideA: i32, panels: usize, to: usize, strideTo: i32, rows: i32, depth: i32, columns: i32,
): void {
  let column = 0;
  for (; column + 8 <= columns; column += 8) {
    const panel = f32At(panels, column * depth);
    const out = f32At(to, column);
    let row = 0;
    for (; row + ROWS <= rows; row += ROWS) {
      blockBy8(f32At(a, row * strideA), strideA, panel, depth, f32At(out, row * strideTo), strideTo);
    }
    if (row < rows && rows > ROWS) {
      // The last block ends with the last row: it computes a few rows once more.
      row = rows - ROWS;
      blockBy8(f32At(a, row * strideA), strideA, panel, depth, f32At(out, row * strideTo), strideTo);
      continue;
    }
    for (; row < rows; row++) {
      oneBy4(f32At(a, row * strideA), panel, 32, depth, f32At(out, row * strideTo));
      oneBy4(f32At(a, row * strideA), panel + 16, 32, depth, f32At(out, row * strideTo + 4));
    }
  }
  if (column < columns) {
    const panel = f32At(panels, column * depth);
    for (let row = 0; row < rows; row++) {
      oneBy4(f32At(a, row * strideA), panel, 16, depth, f32At(to, row * strideTo + column));
    }
  }
}

function blockBy8(a0: usize, strideA: i32, panel: usize, depth: i32, to: usize, strideTo: i32): void {
  const step = (<usize>strideA) << 2;
  let a1 = a0 + step;
  let a2 = a1 + step;
  let a3 = a2 + step;
  let a4 = a3 + step;
  let a5 = a4 + step;
  let s00 = f32x4.splat(0), s10 = f32x4.splat(0), s20 = f32x4.splat(0);
  let s01 = f32x4.splat(0), s11 = f32x4.splat(0), s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0), s40 = f32x4.splat(0), s50 = f32x4.splat(0);
  let s31 = f32x4.splat(0), s41 = f32x4.splat(0), s51 = f32x4.splat(0);
  for (const end = f32At(a0, depth); a0 < end; a0 += 4) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    let k = v128.load32_splat(a0);
    s00 = multiplyAdd(k, b0, s00);
    s01 = multiplyAdd(k, b1, s01);
    k = v128.load32_splat(a1);
    a1 += 4;
    s10 = multiplyAdd(k, b0, s10);
    s11 = multiplyAdd(k, b1, s11);
    k = v128.load32_splat(a2);
    a2 += 4;
    s20 = multiplyAdd(k, b0, s20);
    s21 = multiplyAdd(k, b1, s21);
    k = v128.load32_splat(a3);
    a3 += 4;
    s30 = multiplyAdd(k, b0, s30);
    s31 = multiplyAdd(k, b1, s31);
    k = v128.load32_splat(a4);
    a4 += 4;
    s40 = multiplyAdd(k, b0, s40);
    s41 = multiplyAdd(k, b1, s41);
    if (ROWS > 5) {
      k = v128.load32_splat(a5);
      a5 += 4;
      s50 = multiplyAdd(k, b0, s50);
      s51 = multiplyAdd(k, b1, s51);
    }
    panel += 32;
  }
  const line = (<usize>strideTo) << 2;
  v128.store(to, s00);
  v128.store(to, s01, 16);
  to += line;
  v128.store(to, s10);
  v128.store(to, s11, 16);
  to += line;
  v128.store(to, s20);
  v128.store(to, s21, 16);
  to += line;
  v128.store(to, s30);
  v128.store(to, s31, 16);
  to += line;
  v128.store(to, s40);
  v128.store(to, s41, 16);
  if (ROWS > 5) {
    to += line;
    v128.store(to, s50);
    v128.store(to, s51, 16);
  }
}

function blockBy4(a: usize, strideA: i32, panel: usize, depth: i32, to: usize, strideTo: i32): void {
  const step = (<usize>strideA) << 2;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0), s4 = f32x4.splat(0), s5 = f32x4.splat(0);
  for (const end = f32At(a, depth); a < end; a += 4) {
    const b = v128.load(panel);
    let at = a;
    s0 = multiplyAdd(v128.load32_splat(at), b, s0);
    s1 = multiplyAdd(v128.load32_splat((at += step)), b, s1);
    s2 = multiplyAdd(v128.load32_splat((at += step)), b, s2);
    s3 = multiplyAdd(v128.load32_splat((at += step)), b, s3);
    s4 = multiplyAdd(v128.load32_splat((at += step)), b, s4);
    if (ROWS > 5) s5 = multiplyAdd(v128.load32_splat((at += step)), b, s5);
    panel += 16;
  }
  v128.store(to, s0);
  v128.store((to = f32At(to, strideTo)), s1);
  v128.store((to = f32At(to, strideTo)), s2);
  v128.store((to = f32At(to, strideTo)), s3);
  v128.store((to = f32At(to, strideTo)), s4);
  if (ROWS > 5) v128.store(f32At(to, strideTo), s5);
}

function oneBy4(a: usize, panel: usize, step: usize, depth: i32, to: usize): void {
  let s = f32x4.splat(0);
  for (const end = f32At(a, depth); a < end; a += 4) {
    s = multiplyAdd(v128.load32_splat(a), v128.load(panel), s);
    panel += step;
  }
  v128.store(to, s);
}
