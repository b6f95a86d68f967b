// dx = dy * scale - offset - (x - mean) * slope, with 1 / deviation = 1 / sqrt(variance + epsilon),
// scale = gamma / deviation, offset = mean(gamma * dy) / deviation and slope = mean(gamma * dy * xhat) / deviation^2.
import { erase, groupOf } from './groups';
import { multiplySubtract } from './multiply-add';
import { CLOSE, f32At, low, stayCached } from './numbers';
import {
  arePairs, inverseDeviation, inverseDeviations, isNew, madeBefore, optional, optionalPair, pairAt, repeatLanes, spread,
  startTables, storePair, tableOf,
} from './lanes';

/**
 * See momentsLanes, and normalizeLanes for gamma and perGamma. pulls: [2, groups, channels], those two means.
 * scratch: 16 bytes per lane; with ids that for each group, and 4 bytes more.
 */
export function backwardInputLanes(
  dy: usize, x: usize, ids: usize, dx: usize, moments: usize, pulls: usize, gamma: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, repeat: i32, perGamma: i32, epsilon: f64,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const slots = groups * channels;
  startTables(scratch, ids, groups, 4 * lanes);
  const made = madeBefore(ids, groups, blocks, rows * period, lanes);
  for (let g = 0; g < made; g++) {
    coefficients(tableOf(g), moments, pulls, gamma, g, slots, channels, inner, repeat, perGamma, epsilon);
  }
  const size = (<usize>lanes) << 2;
  if (made) {
    const stride = 4 * size;
    const first = tableOf(0);
    for (const end = ids + ((<usize>blocks) << 2); ids < end; ids += 4) {
      const id = load<u32>(ids);
      if (id >= <u32>groups) erase(dx, lanes);
      else {
        const means = first + id * stride;
        for (let at: usize = 0; at < size; at += 16) {
          const table = means + at;
          const mean = v128.load(table), offset = v128.load(table + size);
          const slope = v128.load(table + 2 * size), scale = v128.load(table + 3 * size);
          v128.store(dx + at, gradientAt(dy + at, x + at, mean, offset, slope, scale));
        }
      }
      x += size;
      dy += size;
      dx += size;
    }
    return;
  }
  const twoRows = size <= 2 * CLOSE || stayCached(blocks * rows * period);
  for (let block = 0; block < blocks; block++) {
    let left = rows * period;
    const g = groupOf(ids, block, groups);
    if (g < 0) {
      erase(f32At(dx, block * left), left);
      continue;
    }
    const means = tableOf(g);
    const offsets = means + size;
    const slopes = offsets + size;
    const scales = slopes + size;
    if (isNew(g)) {
      coefficients(means, moments, pulls, gamma, g, slots, channels, inner, repeat, perGamma, epsilon);
    }
    const skip = (<usize>(block * left)) << 2;
    let fromX = x + skip;
    let fromDy = dy + skip;
    let to = dx + skip;
    // The coefficients are read once for two rows.
    for (; twoRows && left >= 2 * lanes; left -= 2 * lanes) {
      const fromX1 = fromX + size, fromDy1 = fromDy + size, to1 = to + size;
      for (let at: usize = 0; at < size; at += 16) {
        const mean = v128.load(means + at), slope = v128.load(slopes + at);
        const scale = v128.load(scales + at), offset = v128.load(offsets + at);
        v128.store(to + at, gradientAt(fromDy + at, fromX + at, mean, offset, slope, scale));
        v128.store(to1 + at, gradientAt(fromDy1 + at, fromX1 + at, mean, offset, slope, scale));
      }
      fromX += 2 * size;
      fromDy += 2 * size;
      to += 2 * size;
    }
    while (left > 0) {
      const count = min(lanes, left);
      const bytes = (<usize>count) << 2;
      const vectors = bytes & ~15;
      let at: usize = 0;
      for (; at < vectors; at += 16) {
        const mean = v128.load(means + at), slope = v128.load(slopes + at);
        const scale = v128.load(scales + at), offset = v128.load(offsets + at);
        v128.store(to + at, gradientAt(fromDy + at, fromX + at, mean, offset, slope, scale));
      }
      for (; at < bytes; at += 4) {
        const d = load<f32>(fromX + at) - load<f32>(means + at);
        const across = load<f32>(fromDy + at) * load<f32>(scales + at) - load<f32>(offsets + at);
        store<f32>(to + at, across - d * load<f32>(slopes + at));
      }
      fromX += bytes;
      fromDy += bytes;
      to += bytes;
      left -= count;
    }
  }
}

/** The gradient of four values. */
// @ts-ignore: decorator
@inline
function gradientAt(dy: usize, x: usize, mean: v128, offset: v128, slope: v128, scale: v128): v128 {
  const across = f32x4.sub(f32x4.mul(v128.load(dy), scale), offset);
  return multiplySubtract(f32x4.sub(v128.load(x), mean), slope, across);
}

/** Writes a group's means, offsets, slopes and scales, a row of lanes each. */
function coefficients(
  means: usize, moments: usize, pulls: usize, gamma: usize,
  g: i32, slots: i32, channels: i32, inner: i32, repeat: i32, perGamma: i32, epsilon: f64,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const offsets = f32At(means, lanes);
  const slopes = f32At(offsets, lanes);
  const scales = f32At(slopes, lanes);
  let c = 0;
  if (arePairs(channels, inner)) {
    for (; c < channels; c += 2) {
      const slot = g * channels + c;
      const inverse = inverseDeviations(moments, slots, slot, epsilon);
      storePair(means, c, low(pairAt(moments, slot)));
      storePair(offsets, c, f64x2.mul(low(pairAt(pulls, slot)), inverse));
      storePair(slopes, c, f64x2.mul(f64x2.mul(low(pairAt(pulls, slots + slot)), inverse), inverse));
      storePair(scales, c, f64x2.mul(inverse, optionalPair(gamma, g * perGamma + c, 1)));
    }
    repeatLanes(means, period, lanes, 4);
  }
  for (; c < channels; c++) {
    const slot = g * channels + c;
    const inverse = inverseDeviation(moments, slots, slot, epsilon);
    spread(means, load<f32>(f32At(moments, slot)), c, inner, period, repeat);
    spread(offsets, offsetOf(pulls, slot, inverse), c, inner, period, repeat);
    spread(slopes, slopeOf(pulls, slots + slot, inverse), c, inner, period, repeat);
    spread(scales, <f32>(inverse * <f64>optional(gamma, g * perGamma + c, 1)), c, inner, period, repeat);
  }
}

/** See momentsRuns and, for the rest, backwardInputLanes. */
export function backwardInputRuns(
  dy: usize, x: usize, ids: usize, dx: usize, moments: usize, pulls: usize, gamma: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, perGamma: i32, epsilon: f64,
): void {
  const slots = groups * channels;
  const size = rows * channels * inner;
  const bytes = (<usize>inner) << 2;
  const vectors = bytes & ~15;
  for (let block = 0; block < blocks; block++) {
    const g = groupOf(ids, block, groups);
    if (g < 0) {
      erase(f32At(dx, block * size), size);
      continue;
    }
    const skip = (<usize>(block * size)) << 2;
    let fromX = x + skip;
    let fromDy = dy + skip;
    let to = dx + skip;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < channels; c++) {
        const slot = g * channels + c;
        const inverse = inverseDeviation(moments, slots, slot, epsilon);
        const mean = load<f32>(f32At(moments, slot));
        const offset = offsetOf(pulls, slot, inverse);
        const slope = slopeOf(pulls, slots + slot, inverse);
        const scale = <f32>(inverse * <f64>optional(gamma, g * perGamma + c, 1));
        let at: usize = 0;
        for (; at < vectors; at += 16) {
          v128.store(
            to + at,
            gradientAt(
              fromDy + at, fromX + at, f32x4.splat(mean), f32x4.splat(offset), f32x4.splat(slope), f32x4.splat(scale),
            ),
          );
        }
        for (; at < bytes; at += 4) {
          const d = load<f32>(fromX + at) - mean;
          store<f32>(to + at, load<f32>(fromDy + at) * scale - offset - d * slope);
        }
        fromX += bytes;
        fromDy += bytes;
        to += bytes;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function offsetOf(pulls: usize, slot: i32, inverse: f64): f32 {
  return <f32>(<f64>load<f32>(f32At(pulls, slot)) * inverse);
}

// @ts-ignore: decorator
@inline
function slopeOf(pulls: usize, slot: i32, inverse: f64): f32 {
  return <f32>(<f64>load<f32>(f32At(pulls, slot)) * inverse * inverse);
}
