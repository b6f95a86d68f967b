// The algorithm F(4x4, 3x3) of Lavin & Gray (2015, "Fast algorithms for convolutional neural networks", section 4):
// 16 outputs of a 3x3 convolution from 36 products instead of 144. Input, filter and output are polynomials, evaluated
// at 0, 1, -1, 2, -2 and infinity, multiplied point by point, and interpolated. Each function here does that along one
// axis, for four channels at once; it stores its values `step` bytes apart.
import { multiplyAdd, multiplySubtract } from './multiply-add';

/** Points along one axis. */
export const POINTS: i32 = 6;
/** Outputs along one axis that the points give. */
export const TILE: i32 = 4;
/**
 * Floats between the planes of values at two points, beyond the values: one cache line. Without it planes as long as a
 * power of two would share their places in the cache, and each transform reads or writes all 36 at once.
 */
export const GAP: i32 = 16;

// What values are multiplied by. It lies in memory, from where a loop takes it once: a constant the engine would make
// anew at each use, which took a tenth of the time of all.
let factors: usize;

/** Floats that the factors take. */
export const FACTORS: i32 = 36;

/** Writes the factors to where they are to be. */
export function placeFactors(at: usize): void {
  factors = at;
  place(0, 2);
  place(1, 4);
  place(2, 8);
  place(3, 1.0 / 3);
  place(4, 1.0 / 4);
  place(5, 1.0 / 6);
  place(6, -1.0 / 6);
  place(7, 1.0 / 12);
  place(8, 1.0 / 24);
}

function place(index: i32, factor: f32): void {
  v128.store(factors + ((<usize>index) << 4), f32x4.splat(factor));
}

// @ts-ignore: decorator
@inline
export function two(): v128 {
  return v128.load(factors);
}

// @ts-ignore: decorator
@inline
export function four(): v128 {
  return v128.load(factors, 16);
}

// @ts-ignore: decorator
@inline
export function eight(): v128 {
  return v128.load(factors, 32);
}

/** 1/3, 1/4, 1/6, -1/6, 1/12 and 1/24 in this order, from 0 on. */
// @ts-ignore: decorator
@inline
export function fraction(index: i32): v128 {
  return v128.load(factors + ((<usize>index) << 4), 48);
}

/** 6 values of the input at the 6 points. by2, by4: two() and four(). */
// @ts-ignore: decorator
@inline
export function inputAtPoints(
  by2: v128, by4: v128,
  d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, to: usize, step: usize,
): void {
  const even = f32x4.sub(d4, d2);
  const odd = f32x4.sub(d3, d1);
  const evenOnes = multiplySubtract(by4, d2, d4);
  const oddOnes = multiplySubtract(by4, d1, d3);
  v128.store(to, multiplyAdd(by4, f32x4.sub(d0, d2), even));
  v128.store((to += step), f32x4.add(evenOnes, oddOnes));
  v128.store((to += step), f32x4.sub(evenOnes, oddOnes));
  v128.store((to += step), multiplyAdd(by2, odd, even));
  v128.store((to += step), multiplySubtract(by2, odd, even));
  v128.store((to += step), multiplySubtract(by4, odd, f32x4.sub(d5, d3)));
}

/** 3 taps of a filter at the 6 points. */
export function filterAtPoints(g0: v128, g1: v128, g2: v128, to: usize, step: usize): void {
  const sixth = f32x4.splat(-1.0 / 6);
  const ones = f32x4.mul(f32x4.add(g0, g2), sixth);
  const one = f32x4.mul(g1, sixth);
  const twos = multiplyAdd(g2, f32x4.splat(1.0 / 6), f32x4.mul(g0, f32x4.splat(1.0 / 24)));
  const two = f32x4.mul(g1, f32x4.splat(1.0 / 12));
  v128.store(to, f32x4.mul(g0, f32x4.splat(0.25)));
  v128.store((to += step), f32x4.add(ones, one));
  v128.store((to += step), f32x4.sub(ones, one));
  v128.store((to += step), f32x4.add(twos, two));
  v128.store((to += step), f32x4.sub(twos, two));
  v128.store((to += step), g2);
}

/**
 * 4 values of the gradient at the output, which is a filter of 4 taps for the gradient at the filter, at the 6 points.
 * by3 and so on: the fractions, in their order.
 */
// @ts-ignore: decorator
@inline
export function gradientAtPoints(
  by3: v128, by4: v128, by6: v128, byMinus6: v128, by12: v128, by24: v128,
  g0: v128, g1: v128, g2: v128, g3: v128, to: usize, step: usize,
): void {
  const ones = f32x4.mul(f32x4.add(g0, g2), byMinus6);
  const one = f32x4.mul(f32x4.add(g1, g3), byMinus6);
  const twos = multiplyAdd(g2, by6, f32x4.mul(g0, by24));
  const two = multiplyAdd(g3, by3, f32x4.mul(g1, by12));
  v128.store(to, f32x4.mul(g0, by4));
  v128.store((to += step), f32x4.add(ones, one));
  v128.store((to += step), f32x4.sub(ones, one));
  v128.store((to += step), f32x4.add(twos, two));
  v128.store((to += step), f32x4.sub(twos, two));
  v128.store((to += step), g3);
}
