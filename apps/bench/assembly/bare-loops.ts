// The eight passes over memory that batch normalization needs forward and backward, each as the least loop that reads and writes
// what it must: no channels, no groups, no shapes. AssemblyScript.

const UPPER: v128 = i8x16(8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0);

// @ts-ignore: decorator
@inline
function lower(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// @ts-ignore: decorator
@inline
function upper(x: v128): v128 {
  return f64x2.promote_low_f32x4(i8x16.swizzle(x, UPPER));
}

/** Reads x once: its sum, and the sum of its squares, in float64. */
export function moments(x: usize, bytes: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  for (let i: usize = 0; i < bytes; i += 32) {
    const a = v128.load(x + i), b = v128.load(x + i, 16);
    const a0 = lower(a), a1 = upper(a), b0 = lower(b), b1 = upper(b);
    s0 = f64x2.add(s0, a0);
    s1 = f64x2.add(s1, a1);
    s2 = f64x2.add(s2, b0);
    s3 = f64x2.add(s3, b1);
    q0 = f64x2.add(q0, f64x2.mul(a0, a0));
    q1 = f64x2.add(q1, f64x2.mul(a1, a1));
    q2 = f64x2.add(q2, f64x2.mul(b0, b0));
    q3 = f64x2.add(q3, f64x2.mul(b1, b1));
  }
  const sums = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  const squares = f64x2.add(f64x2.add(q0, q1), f64x2.add(q2, q3));
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1) + f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
}

/** Reads x and writes y. */
export function normalize(x: usize, y: usize, bytes: usize, scale: f32, shift: f32): void {
  const s = f32x4.splat(scale), t = f32x4.splat(shift);
  for (let i: usize = 0; i < bytes; i += 32) {
    v128.store(y + i, f32x4.add(f32x4.mul(v128.load(x + i), s), t));
    v128.store(y + i, f32x4.add(f32x4.mul(v128.load(x + i, 16), s), t), 16);
  }
}

/** Reads dy and x: the sums of dy, and of dy * x, in float64. */
export function gradientSums(dy: usize, x: usize, bytes: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0, q0 = s0, q1 = s0;
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = v128.load(dy + i), b = v128.load(x + i);
    const a0 = lower(a), a1 = upper(a);
    s0 = f64x2.add(s0, a0);
    s1 = f64x2.add(s1, a1);
    q0 = f64x2.add(q0, f64x2.mul(a0, lower(b)));
    q1 = f64x2.add(q1, f64x2.mul(a1, upper(b)));
  }
  const sums = f64x2.add(f64x2.add(s0, s1), f64x2.add(q0, q1));
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

/** Reads dy and x, and writes dx. */
export function inputGradient(dy: usize, x: usize, dx: usize, bytes: usize, scale: f32, slope: f32, shift: f32): void {
  const s = f32x4.splat(scale), d = f32x4.splat(slope), t = f32x4.splat(shift);
  for (let i: usize = 0; i < bytes; i += 32) {
    v128.store(dx + i, f32x4.add(f32x4.add(f32x4.mul(v128.load(dy + i), s), f32x4.mul(v128.load(x + i), d)), t));
    v128.store(
      dx + i,
      f32x4.add(f32x4.add(f32x4.mul(v128.load(dy + i, 16), s), f32x4.mul(v128.load(x + i, 16), d)), t),
      16,
    );
  }
}
