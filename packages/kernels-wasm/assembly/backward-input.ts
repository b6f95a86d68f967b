// dx = ((dy - offset) - (x - mean) * slope) * scale, with scale = gamma / sqrt(variance + epsilon),
// offset = sum(dy) / n and slope = sum(dy * xhat) / n / sqrt(variance + epsilon).
import { f32At } from './numbers';
import { inverseDeviation, optional, spread } from './lanes';

/** See momentsLanes. gamma may be 0 for none; sums: [2, groups, channels]. scratch: 16 bytes per lane. */
export function backwardInputLanes(
  dy: usize, x: usize, dx: usize, moments: usize, sums: usize, gamma: usize, scratch: usize,
  groups: i32, rows: i32, channels: i32, inner: i32, repeat: i32, epsilon: f64,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const slots = groups * channels;
  const n = <f64>rows * <f64>inner;
  const means = scratch;
  const offsets = f32At(means, lanes);
  const slopes = f32At(offsets, lanes);
  const scales = f32At(slopes, lanes);
  for (let g = 0; g < groups; g++) {
    for (let c = 0; c < channels; c++) {
      const slot = g * channels + c;
      const inverse = inverseDeviation(moments, slots, slot, epsilon);
      spread(means, load<f32>(f32At(moments, slot)), c, inner, period, repeat);
      spread(offsets, <f32>(<f64>load<f32>(f32At(sums, slot)) / n), c, inner, period, repeat);
      const slope = (<f64>load<f32>(f32At(sums, slots + slot)) / n) * inverse;
      spread(slopes, <f32>slope, c, inner, period, repeat);
      spread(scales, <f32>(inverse * <f64>optional(gamma, c, 1)), c, inner, period, repeat);
    }
    let left = rows * period;
    while (left > 0) {
      const count = min(lanes, left);
      const bytes = (<usize>count) << 2;
      const vectors = bytes & ~15;
      let at: usize = 0;
      for (; at < vectors; at += 16) {
        const along = f32x4.mul(f32x4.sub(v128.load(x + at), v128.load(means + at)), v128.load(slopes + at));
        const across = f32x4.sub(f32x4.sub(v128.load(dy + at), v128.load(offsets + at)), along);
        v128.store(dx + at, f32x4.mul(across, v128.load(scales + at)));
      }
      for (; at < bytes; at += 4) {
        const along = (load<f32>(x + at) - load<f32>(means + at)) * load<f32>(slopes + at);
        store<f32>(dx + at, (load<f32>(dy + at) - load<f32>(offsets + at) - along) * load<f32>(scales + at));
      }
      x += bytes;
      dy += bytes;
      dx += bytes;
      left -= count;
    }
  }
}

/** See momentsRuns. gamma may be 0 for none; sums: [2, groups, channels]. */
export function backwardInputRuns(
  dy: usize, x: usize, dx: usize, moments: usize, sums: usize, gamma: usize,
  groups: i32, rows: i32, channels: i32, inner: i32, epsilon: f64,
): void {
  const slots = groups * channels;
  const n = <f64>rows * <f64>inner;
  const bytes = (<usize>inner) << 2;
  const vectors = bytes & ~15;
  for (let g = 0; g < groups; g++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < channels; c++) {
        const slot = g * channels + c;
        const inverse = inverseDeviation(moments, slots, slot, epsilon);
        const mean = load<f32>(f32At(moments, slot));
        const offset = <f32>(<f64>load<f32>(f32At(sums, slot)) / n);
        const slope = <f32>((<f64>load<f32>(f32At(sums, slots + slot)) / n) * inverse);
        const scale = <f32>(inverse * <f64>optional(gamma, c, 1));
        let at: usize = 0;
        for (; at < vectors; at += 16) {
          const along = f32x4.mul(f32x4.sub(v128.load(x + at), f32x4.splat(mean)), f32x4.splat(slope));
          const across = f32x4.sub(f32x4.sub(v128.load(dy + at), f32x4.splat(offset)), along);
          v128.store(dx + at, f32x4.mul(across, f32x4.splat(scale)));
        }
        for (; at < bytes; at += 4) {
          const along = (load<f32>(x + at) - mean) * slope;
          store<f32>(dx + at, (load<f32>(dy + at) - offset - along) * scale);
        }
        x += bytes;
        dy += bytes;
        dx += bytes;
      }
    }
  }
}
