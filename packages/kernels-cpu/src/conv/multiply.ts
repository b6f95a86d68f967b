// The product of two matrices, which is what convolutions and their gradients spend their time in. Float64, because
// loading a float32 costs JavaScript a conversion each time; 2 x 4 sums at a time, which is what fits the registers.

/** Adds a * b to c. Element (i, k) of `a` lies at i * rowStep + k * termStep; b is [terms, width], c [rows, width]. */
export function addProduct(
  a: Float64Array,
  rowStep: number,
  termStep: number,
  b: Float64Array,
  c: Float64Array,
  rows: number,
  width: number,
  terms: number,
): void {
  for (let i = 0; i < rows; i += 2) {
    for (let j = 0; j < width; j += 4) {
      let c00 = 0;
      let c01 = 0;
      let c02 = 0;
      let c03 = 0;
      let c10 = 0;
      let c11 = 0;
      let c12 = 0;
      let c13 = 0;
      let at0 = i * rowStep;
      let at1 = at0 + rowStep;
      let at = j;
      for (let k = 0; k < terms; k++) {
        const a0 = a[at0]!;
        const a1 = a[at1]!;
        const b0 = b[at]!;
        const b1 = b[at + 1]!;
        const b2 = b[at + 2]!;
        const b3 = b[at + 3]!;
        c00 += a0 * b0;
        c01 += a0 * b1;
        c02 += a0 * b2;
        c03 += a0 * b3;
        c10 += a1 * b0;
        c11 += a1 * b1;
        c12 += a1 * b2;
        c13 += a1 * b3;
        at0 += termStep;
        at1 += termStep;
        at += width;
      }
      const to = i * width + j;
      c[to]! += c00;
      c[to + 1]! += c01;
      c[to + 2]! += c02;
      c[to + 3]! += c03;
      c[to + width]! += c10;
      c[to + width + 1]! += c11;
      c[to + width + 2]! += c12;
      c[to + width + 3]! += c13;
    }
  }
}

/** `count` rows of `length` values, from row `from`, as rows of `width` values; what is left of `to` becomes 0. */
export function padRows(
  values: Float32Array,
  length: number,
  from: number,
  count: number,
  to: Float64Array,
  width: number,
): void {
  to.fill(0);
  for (let row = 0; row < count; row++) {
    const start = (from + row) * length;
    for (let i = 0; i < length; i++) to[row * width + i] = values[start + i]!;
  }
}

/** addProduct takes rows by two and columns by four. */
export const roundUp2 = (n: number) => (n + 1) & ~1;
export const roundUp4 = (n: number) => (n + 3) & ~3;

// Patches that fit the level-2 cache, and never so few that moving the sums out of the registers would show.
const TILE_VALUES = 32768;

/** Output positions to take at a time, when each sees `depth` values: an even number. */
export function tileLength(depth: number, positions: number): number {
  const wanted = Math.min(256, Math.max(32, Math.floor(TILE_VALUES / depth)));
  return roundUp2(Math.min(wanted, positions));
}
