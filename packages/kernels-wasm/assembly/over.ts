// Normalizing in place, with the limits of an activation: one read and one write, of memory that is at hand. For values that
// nobody else reads, in one group; see normalize.ts for the rest.
import { f32At, limited } from './numbers';
import { coefficients } from './normalize';

/** Clips `size` values where they lie. NaN stays. */
export function clipOver(x: usize, size: i32, low: f32, high: f32): void {
  const lows = f32x4.splat(low), highs = f32x4.splat(high);
  const bytes = (<usize>size) << 2;
  const vectors = bytes & ~15;
  let at: usize = 0;
  for (; at < vectors; at += 16) {
    v128.store(x + at, limited(v128.load(x + at), lows, highs));
  }
  for (; at < bytes; at += 4) store<f32>(x + at, min<f32>(max<f32>(load<f32>(x + at), low), high));
}

/** As normalizeLanes of one group. scratch: 12 bytes per lane. */
export function normalizeOverLanes(
  x: usize, moments: usize, gamma: usize, beta: usize, scratch: usize,
  rows: i32, channels: i32, inner: i32, repeat: i32, epsilon: f64, low: f32, high: f32,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const means = scratch;
  const scales = f32At(means, lanes);
  const offsets = f32At(scales, lanes);
  coefficients(means, moments, gamma, beta, 0, channels, channels, inner, repeat, 0, 0, epsilon);
  const lows = f32x4.splat(low), highs = f32x4.splat(high);
  for (let left = rows * period; left > 0; left -= lanes) {
    const bytes = (<usize>min(lanes, left)) << 2;
    const vectors = bytes & ~15;
    let at: usize = 0;
    for (; at < vectors; at += 16) {
      const d = f32x4.sub(v128.load(x + at), v128.load(means + at));
      const y = f32x4.add(f32x4.mul(d, v128.load(scales + at)), v128.load(offsets + at));
      v128.store(x + at, limited(y, lows, highs));
    }
    for (; at < bytes; at += 4) {
      const d = load<f32>(x + at) - load<f32>(means + at);
      const y = d * load<f32>(scales + at) + load<f32>(offsets + at);
      store<f32>(x + at, min<f32>(max<f32>(y, low), high));
    }
    x += bytes;
  }
}
