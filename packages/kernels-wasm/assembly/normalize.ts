// y = (x - mean) * scale + beta, scale = gamma / sqrt(variance + epsilon). Not x * scale + offset: that cancels when
// the mean is far larger than the deviation.
import { erase, groupOf } from './groups';
import { multiplyAdd } from './multiply-add';
import { CLOSE, f32At, low, stayCached } from './numbers';
import {
  arePairs, inverseDeviation, inverseDeviations, isNew, madeBefore, optional, optionalPair, pairAt, repeatLanes, spread,
  startTables, storePair, tableOf,
} from './lanes';

/**
 * See momentsLanes. gamma and beta may be 0 for none; the values of group g begin at g * perGamma and g * perBeta,
 * which are 0 where all groups share them. A block of no group comes out as NaN. scratch: 12 bytes per lane; with ids
 * that for each group, and 4 bytes more.
 */
export function normalizeLanes(
  x: usize, ids: usize, y: usize, moments: usize, gamma: usize, beta: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, repeat: i32,
  perGamma: i32, perBeta: i32, epsilon: f64,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const slots = groups * channels;
  startTables(scratch, ids, groups, 3 * lanes);
  const made = madeBefore(ids, groups, blocks, rows * period, lanes);
  for (let g = 0; g < made; g++) {
    coefficients(tableOf(g), moments, gamma, beta, g, slots, channels, inner, repeat, perGamma, perBeta, epsilon);
  }
  const size = (<usize>lanes) << 2;
  if (made) {
    // Rows of any group, one by one.
    const stride = 3 * size;
    const first = tableOf(0);
    for (const end = ids + ((<usize>blocks) << 2); ids < end; ids += 4) {
      const id = load<u32>(ids);
      if (id >= <u32>groups) erase(y, lanes);
      else {
        const means = first + id * stride;
        for (let at: usize = 0; at < size; at += 16) {
          const table = means + at;
          v128.store(y + at, normalizedAt(x + at, v128.load(table), v128.load(table + size), v128.load(table + 2 * size)));
        }
      }
      x += size;
      y += size;
    }
    return;
  }
  const severalRows = size <= CLOSE || stayCached(blocks * rows * period);
  for (let block = 0; block < blocks; block++) {
    let from = f32At(x, block * rows * period);
    let to = f32At(y, block * rows * period);
    const g = groupOf(ids, block, groups);
    if (g < 0) {
      erase(to, rows * period);
      continue;
    }
    const means = tableOf(g);
    const scales = means + size;
    const offsets = scales + size;
    if (isNew(g)) {
      coefficients(means, moments, gamma, beta, g, slots, channels, inner, repeat, perGamma, perBeta, epsilon);
    }
    let left = rows * period;
    // The coefficients are read once for four rows.
    for (; severalRows && left >= 4 * lanes; left -= 4 * lanes) {
      const from1 = from + size, from2 = from1 + size, from3 = from2 + size;
      const to1 = to + size, to2 = to1 + size, to3 = to2 + size;
      for (let at: usize = 0; at < size; at += 16) {
        const mean = v128.load(means + at), scale = v128.load(scales + at), offset = v128.load(offsets + at);
        v128.store(to + at, normalizedAt(from + at, mean, scale, offset));
        v128.store(to1 + at, normalizedAt(from1 + at, mean, scale, offset));
        v128.store(to2 + at, normalizedAt(from2 + at, mean, scale, offset));
        v128.store(to3 + at, normalizedAt(from3 + at, mean, scale, offset));
      }
      from += 4 * size;
      to += 4 * size;
    }
    while (left > 0) {
      const n = min(lanes, left);
      const bytes = (<usize>n) << 2;
      const vectors = bytes & ~15;
      let at: usize = 0;
      for (; at < vectors; at += 16) {
        const mean = v128.load(means + at), scale = v128.load(scales + at), offset = v128.load(offsets + at);
        v128.store(to + at, normalizedAt(from + at, mean, scale, offset));
      }
      for (; at < bytes; at += 4) {
        const d = load<f32>(from + at) - load<f32>(means + at);
        store<f32>(to + at, d * load<f32>(scales + at) + load<f32>(offsets + at));
      }
      from += bytes;
      to += bytes;
      left -= n;
    }
  }
}

/** Four values, normalized. */
// @ts-ignore: decorator
@inline
function normalizedAt(x: usize, mean: v128, scale: v128, offset: v128): v128 {
  return multiplyAdd(f32x4.sub(v128.load(x), mean), scale, offset);
}

/** Writes a group's means, scales and offsets, a row of lanes each. */
export function coefficients(
  means: usize, moments: usize, gamma: usize, beta: usize,
  g: i32, slots: i32, channels: i32, inner: i32, repeat: i32, perGamma: i32, perBeta: i32, epsilon: f64,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const scales = f32At(means, lanes);
  const offsets = f32At(scales, lanes);
  let c = 0;
  if (arePairs(channels, inner)) {
    for (; c < channels; c += 2) {
      const slot = g * channels + c;
      const inverse = inverseDeviations(moments, slots, slot, epsilon);
      storePair(means, c, low(pairAt(moments, slot)));
      storePair(scales, c, f64x2.mul(inverse, optionalPair(gamma, g * perGamma + c, 1)));
      storePair(offsets, c, optionalPair(beta, g * perBeta + c, 0));
    }
    repeatLanes(means, period, lanes, 3);
  }
  for (; c < channels; c++) {
    const slot = g * channels + c;
    const scale = inverseDeviation(moments, slots, slot, epsilon) * <f64>optional(gamma, g * perGamma + c, 1);
    spread(means, load<f32>(f32At(moments, slot)), c, inner, period, repeat);
    spread(scales, <f32>scale, c, inner, period, repeat);
    spread(offsets, optional(beta, g * perBeta + c, 0), c, inner, period, repeat);
  }
}

/** See momentsRuns and, for the rest, normalizeLanes. */
export function normalizeRuns(
  x: usize, ids: usize, y: usize, moments: usize, gamma: usize, beta: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, perGamma: i32, perBeta: i32, epsilon: f64,
): void {
  const slots = groups * channels;
  const size = rows * channels * inner;
  const bytes = (<usize>inner) << 2;
  const vectors = bytes & ~15;
  for (let block = 0; block < blocks; block++) {
    let from = f32At(x, block * size);
    let to = f32At(y, block * size);
    const g = groupOf(ids, block, groups);
    if (g < 0) {
      erase(to, size);
      continue;
    }
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < channels; c++) {
        const slot = g * channels + c;
        const mean = load<f32>(f32At(moments, slot));
        const own = <f64>optional(gamma, g * perGamma + c, 1);
        const scale = <f32>(inverseDeviation(moments, slots, slot, epsilon) * own);
        const offset = optional(beta, g * perBeta + c, 0);
        const means = f32x4.splat(mean);
        const scales = f32x4.splat(scale);
        const offsets = f32x4.splat(offset);
        let at: usize = 0;
        for (; at < vectors; at += 16) {
          v128.store(to + at, normalizedAt(from + at, means, scales, offsets));
        }
        for (; at < bytes; at += 4) store<f32>(to + at, (load<f32>(from + at) - mean) * scale + offset);
        from += bytes;
        to += bytes;
      }
    }
  }
}
