// Mean and biased variance of every channel in one read of memory.
//
// Runs of at most RUN values are summed in float32 around a shift (so that a mean far larger than the deviation does
// not cancel), then moved to float64 sums around K, the first value of the channel in the group:
//   T1 = sum(x - K) += S1 + n * d,   T2 = sum((x - K)^2) += S2 + 2 * d * S1 + n * d * d,   d = shift - K.
// (K - mean)^2 is at most n times the variance, because K is one of the values: float64 always has digits to spare.
// The shift is the mean of the values before, so the first few values have none: they go to float64 one by one. No run
// is longer than what precedes it, because its squares are around a shift that one outlier may have dragged along: by
// a k-th of the outlier after k values, so that the k squares at most come to a k-th of the outlier's own. That, and
// drifting values, cost at most three times the squares around the final mean (by the update formula of Chan, Golub &
// LeVeque 1983), so float32 keeps its digits, too.
import { chunkOf, clearGroup, continues, endOf, firstOf, groupRows, nextChunk, nextRow, offsetOf, startWalk } from './groups';
import { multiplyAdd } from './multiply-add';
import { clipOver } from './over';
import { arePairs, pairAt, spread, storePair, totalOfLanes, totalOfPair } from './lanes';
import { RUN, WIDE, clear, f32At, f64At, high, low, total, touch } from './numbers';

/** Rows of lanes that go to float64 at once, before runs start. */
const FIRST_ROWS: i32 = 4;

/**
 * For values that lie channel by channel, or nearly so. Consecutive rows of `channels * inner` values are taken
 * together as one row of `repeat` times as many lanes, a multiple of 4; lanes of one channel are summed at the end.
 * `rows` are those of one block, of which there are as many as groups where there are no ids; sorted: see firstOf.
 * scratch: 32 bytes per lane, with ids 160. out: [2, groups, channels], 0 for a group without rows.
 * clips: whether values are clipped where they lie once they are counted; without ids only.
 */
export function momentsLanes(
  x: usize, sorted: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, repeat: i32, rest: i32,
  clips: i32, low: f32, high: f32,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const sums = scratch;
  const squares = f64At(sums, lanes);
  const origins = f64At(squares, lanes);
  const shifts = f32At(origins, lanes);
  const buffer = f32At(shifts, 3 * lanes);
  for (let g = 0; g < groups; g++) {
    if (!startWalk(sorted, groups, rows, period, repeat, g)) {
      clearGroup(out, groups, g, channels, 2 + rest);
      continue;
    }
    const base = x + nextRow();
    for (let c = 0; c < channels; c++) spread(origins, load<f32>(f32At(base, c * inner)), c, inner, period, repeat);
    // A small group goes to float64 as a whole: that takes less than to begin a run.
    const firstRowsOf = groupRows() <= RUN ? RUN : FIRST_ROWS;
    let count = 0;
    for (let r = 0, n = 0; ; r += n) {
      const m = nextChunk(r == 0 ? firstRowsOf : min(r, RUN));
      if (m == 0) break;
      count += m;
      const chunk = chunkOf(x, buffer);
      n = m / repeat;
      let lane = 0;
      if (r == 0) {
        for (; lane < lanes; lane += 4) {
          firstRows(f32At(chunk, lane), n, lanes, f64At(sums, lane), f64At(squares, lane), f32At(origins, lane));
        }
      } else {
        const perRow = 1 / <f64>r;
        if (lanes >= WIDE) {
          wideRows(chunk, n, continues(), lanes, perRow, sums, squares, origins, shifts);
          lane = lanes;
        }
        for (; lane < lanes; lane += 4) {
          oneVector(
            f32At(chunk, lane), n, lanes, perRow, f64At(sums, lane), f64At(squares, lane), f32At(origins, lane),
          );
        }
      }
      const tail = f32At(chunk, n * lanes);
      const left = m * period - n * lanes;
      for (let i = 0; i < left; i++) addValue(f32At(tail, i), f64At(sums, i), f64At(squares, i), f32At(origins, i));
      if (clips) clipOver(chunk, m * period, low, high);
    }
    let c = 0;
    if (arePairs(channels, inner)) {
      for (; c < channels; c += 2) {
        const t1 = totalOfPair(sums, c, period, lanes);
        const t2 = totalOfPair(squares, c, period, lanes);
        finishPair(out, groups * channels, g * channels + c, pairAt(origins, c), t1, t2, count, rest);
      }
    }
    for (; c < channels; c++) {
      const t1 = totalOfLanes(sums, c * inner, inner, period, lanes);
      const t2 = totalOfLanes(squares, c * inner, inner, period, lanes);
      finish(out, groups * channels, g * channels + c, load<f32>(f32At(origins, c * inner)), t1, t2, count, inner, rest);
    }
  }
}

/**
 * For long runs of one channel: inner values at a time; the rest as momentsLanes. scratch: 16 bytes per channel.
 */
export function momentsRuns(
  x: usize, sorted: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, rest: i32,
): void {
  const sums = scratch;
  const squares = f64At(sums, channels);
  const bytes = <u32>(rows * channels * inner) << 2;
  for (let g = 0; g < groups; g++) {
    let place = firstOf(sorted, g);
    const last = endOf(sorted, g);
    if (place == last) {
      clearGroup(out, groups, g, channels, 2 + rest);
      continue;
    }
    const base = x + offsetOf(sorted, groups, place, bytes);
    memory.fill(sums, 0, (<usize>channels) << 4);
    let count = 0;
    for (; place < last; place++) {
      let run = x + offsetOf(sorted, groups, place, bytes);
      for (let r = 0; r < rows; r++, count++) {
        for (let c = 0; c < channels; c++) {
          addRun(run, inner, count * inner, f64At(sums, c), f64At(squares, c), load<f32>(f32At(base, c * inner)));
          run = f32At(run, inner);
        }
      }
    }
    for (let c = 0; c < channels; c++) {
      const t1 = load<f64>(f64At(sums, c));
      const t2 = load<f64>(f64At(squares, c));
      finish(out, groups * channels, g * channels + c, load<f32>(f32At(base, c * inner)), t1, t2, count, inner, rest);
    }
  }
}

function finish(
  out: usize, slots: i32, slot: i32, shift: f64, t1: f64, t2: f64, rows: i32, inner: i32, rest: i32,
): void {
  const n = <f64>rows * <f64>inner;
  let variance = (t2 - (t1 * t1) / n) / n;
  // Not max(0, variance): rounding may leave a tiny negative, but a NaN must stay one.
  if (variance < 0) variance = 0;
  const mean = shift + t1 / n;
  store<f32>(f32At(out, slot), <f32>mean);
  if (rest) store<f32>(f32At(out, 2 * slots + slot), <f32>(mean - <f64>(<f32>mean)));
  store<f32>(f32At(out, slots + slot), <f32>variance);
}

/** The same for a slot and the next one, of channels that lie side by side. */
export function finishPair(
  out: usize, slots: i32, slot: i32, shift: v128, t1: v128, t2: v128, rows: i32, rest: i32,
): void {
  const n = f64x2.splat(<f64>rows);
  const off = f64x2.div(t1, n);
  const variance = f64x2.div(f64x2.sub(t2, f64x2.div(f64x2.mul(t1, t1), n)), n);
  const mean = f64x2.add(low(shift), off);
  storePair(out, slot, mean);
  if (rest) storePair(out, 2 * slots + slot, f64x2.sub(mean, low(f32x4.demote_f64x2_zero(mean))));
  // pmax keeps a NaN that is its first operand.
  storePair(out, slots + slot, f64x2.pmax(variance, f64x2.splat(0)));
}

// @ts-ignore: decorator
@inline
function addValue(address: usize, sum: usize, square: usize, origin: usize): void {
  const d = <f64>load<f32>(address) - <f64>load<f32>(origin);
  store<f64>(sum, load<f64>(sum) + d);
  store<f64>(square, load<f64>(square) + d * d);
}

/** Begins the sums of four lanes with n rows, each value in float64. */
// @ts-ignore: decorator
@inline
function firstRows(row: usize, n: i32, lanes: i32, sums: usize, squares: usize, origins: usize): void {
  const k = v128.load(origins);
  const k0 = low(k), k1 = high(k);
  let a0 = f64x2.splat(0), a1 = f64x2.splat(0);
  let b0 = f64x2.splat(0), b1 = f64x2.splat(0);
  const bytes = (<usize>lanes) << 2;
  for (const end = row + <usize>n * bytes; row < end; row += bytes) {
    const x = v128.load(row);
    const d0 = f64x2.sub(low(x), k0);
    const d1 = f64x2.sub(high(x), k1);
    a0 = f64x2.add(a0, d0);
    a1 = f64x2.add(a1, d1);
    b0 = f64x2.add(b0, f64x2.mul(d0, d0));
    b1 = f64x2.add(b1, f64x2.mul(d1, d1));
  }
  v128.store(sums, a0);
  v128.store(sums, a1, 16);
  v128.store(squares, b0);
  v128.store(squares, b1, 16);
}

/** Four shifts: K plus the mean of what came before, relative to K. perRow: 1 / rows before. */
// @ts-ignore: decorator
@inline
function shiftOf(sums: usize, origins: usize, perRow: v128): v128 {
  const k = v128.load(origins);
  const first = f64x2.add(low(k), f64x2.mul(v128.load(sums), perRow));
  const second = f64x2.add(high(k), f64x2.mul(v128.load(sums, 16), perRow));
  return v128.shuffle<u64>(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(second), 0, 2);
}

/** Moves four float32 sums around `shift` to float64 sums around K. */
// @ts-ignore: decorator
@inline
function fold(shift: v128, s1: v128, s2: v128, n: v128, sums: usize, squares: usize, origins: usize): void {
  const k = v128.load(origins);
  foldHalf(f64x2.sub(low(shift), low(k)), low(s1), low(s2), n, sums, squares);
  foldHalf(f64x2.sub(high(shift), high(k)), high(s1), high(s2), n, sums + 16, squares + 16);
}

// @ts-ignore: decorator
@inline
function foldHalf(d: v128, s1: v128, s2: v128, n: v128, sums: usize, squares: usize): void {
  const moved = f64x2.mul(n, d);
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.add(s1, moved)));
  const cross = f64x2.mul(d, f64x2.add(f64x2.add(s1, s1), moved));
  v128.store(squares, f64x2.add(v128.load(squares), f64x2.add(s2, cross)));
}

/** Bytes up to which four rows at once lie close enough together. */
const SHORT: usize = 256;

/** Sums n rows in the order of memory, four of them at once. shifts: room for three rows of lanes. */
function wideRows(
  row: usize, n: i32, more: bool, lanes: i32, perRow: f64,
  sums: usize, squares: usize, origins: usize, shifts: usize,
): void {
  const bytes = (<usize>lanes) << 2;
  const firsts = shifts + bytes;
  const seconds = firsts + bytes;
  const inverse = f64x2.splat(perRow);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(shifts + at, shiftOf(sums + 2 * at, origins + at, inverse));
  }
  clear(firsts, 2 * bytes);
  // Short rows are read ahead without help.
  const touching: usize = more && bytes > SHORT ? 64 : 0;
  let r = 0;
  for (; r + 4 <= n; r += 4, row += 4 * bytes) {
    const r1 = row + bytes, r2 = r1 + bytes, r3 = r2 + bytes;
    // The next four rows.
    let ahead = touching ? r3 + bytes : row;
    for (let at: usize = 0; at < bytes; at += 16, ahead += touching) {
      touch(ahead);
      const shift = v128.load(shifts + at);
      const d0 = f32x4.sub(v128.load(row + at), shift);
      const d1 = f32x4.sub(v128.load(r1 + at), shift);
      const d2 = f32x4.sub(v128.load(r2 + at), shift);
      const d3 = f32x4.sub(v128.load(r3 + at), shift);
      const first = f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3));
      v128.store(firsts + at, f32x4.add(v128.load(firsts + at), first));
      const half = multiplyAdd(d0, d0, f32x4.mul(d1, d1));
      const second = multiplyAdd(d2, d2, multiplyAdd(d3, d3, v128.load(seconds + at)));
      v128.store(seconds + at, f32x4.add(half, second));
    }
  }
  for (; r < n; r++, row += bytes) {
    for (let at: usize = 0; at < bytes; at += 16) {
      const d = f32x4.sub(v128.load(row + at), v128.load(shifts + at));
      v128.store(firsts + at, f32x4.add(v128.load(firsts + at), d));
      v128.store(seconds + at, multiplyAdd(d, d, v128.load(seconds + at)));
    }
  }
  const count = f64x2.splat(n);
  for (let at: usize = 0; at < bytes; at += 16) {
    fold(
      v128.load(shifts + at), v128.load(firsts + at), v128.load(seconds + at), count,
      sums + 2 * at, squares + 2 * at, origins + at,
    );
  }
}

// @ts-ignore: decorator
@inline
function oneVector(
  row: usize, n: i32, lanes: i32, perRow: f64, sums: usize, squares: usize, origins: usize,
): void {
  const bytes = (<usize>lanes) << 2;
  const shift = shiftOf(sums, origins, f64x2.splat(perRow));
  let a = f32x4.splat(0), b = f32x4.splat(0);
  for (const end = row + <usize>n * bytes; row < end; row += bytes) {
    const d = f32x4.sub(v128.load(row), shift);
    a = f32x4.add(a, d);
    b = multiplyAdd(d, d, b);
  }
  fold(shift, a, b, f64x2.splat(n), sums, squares, origins);
}

/** before: how many values of the channel are in its sums already. */
function addRun(run: usize, length: i32, before: i32, sum: usize, square: usize, k: f32): void {
  let t1 = load<f64>(sum);
  let t2 = load<f64>(square);
  let i = 0;
  while (i < length) {
    const seen = before + i;
    const n = min(min(16 * RUN, seen), length - i) & ~15;
    if (n == 0) {
      // The first 16 of the channel and the last few of the run.
      const d = <f64>load<f32>(f32At(run, i++)) - <f64>k;
      t1 += d;
      t2 += d * d;
      continue;
    }
    const shift = <f32>(<f64>k + t1 / <f64>seen);
    const shifts = f32x4.splat(shift);
    let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0);
    let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0), b3 = f32x4.splat(0);
    const end = f32At(run, i + n);
    for (let at = f32At(run, i); at < end; at += 64) {
      const d0 = f32x4.sub(v128.load(at), shifts);
      const d1 = f32x4.sub(v128.load(at, 16), shifts);
      const d2 = f32x4.sub(v128.load(at, 32), shifts);
      const d3 = f32x4.sub(v128.load(at, 48), shifts);
      a0 = f32x4.add(a0, d0);
      a1 = f32x4.add(a1, d1);
      a2 = f32x4.add(a2, d2);
      a3 = f32x4.add(a3, d3);
      b0 = multiplyAdd(d0, d0, b0);
      b1 = multiplyAdd(d1, d1, b1);
      b2 = multiplyAdd(d2, d2, b2);
      b3 = multiplyAdd(d3, d3, b3);
    }
    const s1 = total(a0) + total(a1) + total(a2) + total(a3);
    const s2 = total(b0) + total(b1) + total(b2) + total(b3);
    const d = <f64>shift - <f64>k;
    const moved = <f64>n * d;
    t1 += s1 + moved;
    t2 += s2 + d * (s1 + s1 + moved);
    i += n;
  }
  store<f64>(sum, t1);
  store<f64>(square, t2);
}
