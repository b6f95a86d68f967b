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
import { TABLES, blockOf, chunkOf, chunkTable, clearGroup, continues, nextChunk, nextRow, startWalk } from './groups';
import { RUN, f32At, f64At, high, low, nextBlock, total, touch } from './numbers';

/** Rows of lanes that go to float64 at once, before runs start. */
const FIRST_ROWS: i32 = 4;

/**
 * For values that lie channel by channel, or nearly so. Consecutive rows of `channels * inner` values are taken
 * together as one row of `repeat` times as many lanes, a multiple of 4; lanes of one channel are summed at the end.
 * `rows` are those of one block, of which there are as many as groups where there are no ids; see groups.ts.
 * scratch: TABLES bytes and 20 per lane, with ids 148. out: [2, groups, channels], 0 for a group without rows.
 */
export function momentsLanes(
  x: usize, ids: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, repeat: i32,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const sums = scratch;
  const squares = f64At(sums, lanes);
  const origins = f64At(squares, lanes);
  const tables = f32At(origins, lanes);
  const buffer = tables + TABLES;
  for (let g = 0; g < groups; g++) {
    if (!startWalk(ids, blocks, rows, period, repeat, g, tables)) {
      clearGroup(out, groups, g, channels);
      continue;
    }
    const base = x + nextRow();
    memory.fill(sums, 0, (<usize>lanes) << 4);
    for (let r = 0, lane = 0; r < repeat; r++) {
      for (let c = 0; c < channels; c++) {
        const first = load<f32>(f32At(base, c * inner));
        for (let i = 0; i < inner; i++, lane++) store<f32>(f32At(origins, lane), first);
      }
    }
    let count = 0;
    for (let r = 0, n = 0; ; r += n) {
      const m = nextChunk(r == 0 ? FIRST_ROWS : min(r, RUN));
      if (m == 0) break;
      count += m;
      const chunk = chunkOf(x, buffer);
      const table = chunkTable();
      n = m / repeat;
      let lane = 0;
      if (r == 0) {
        for (; lane < lanes; lane += 4) {
          firstRows(f32At(chunk, lane), table, n, f64At(sums, lane), f64At(squares, lane), f32At(origins, lane));
        }
      } else {
        const perRow = 1 / <f64>r;
        const more = continues();
        const touching: usize = more ? 64 : 0;
        let ahead = nextBlock(chunk, lanes, n, more);
        for (; lane + 16 <= lanes; lane += 16, ahead += (<usize>n) * touching) {
          fourVectors(
            f32At(chunk, lane), ahead, touching, table, n, perRow,
            f64At(sums, lane), f64At(squares, lane), f32At(origins, lane),
          );
        }
        for (; lane < lanes; lane += 4) {
          oneVector(
            f32At(chunk, lane), table, n, perRow, f64At(sums, lane), f64At(squares, lane), f32At(origins, lane),
          );
        }
      }
      const rest = f32At(chunk, n * lanes);
      const left = m * period - n * lanes;
      for (let i = 0; i < left; i++) addValue(f32At(rest, i), f64At(sums, i), f64At(squares, i), f32At(origins, i));
    }
    for (let c = 0; c < channels; c++) {
      let t1: f64 = 0;
      let t2: f64 = 0;
      for (let r = 0; r < repeat; r++) {
        for (let i = 0; i < inner; i++) {
          const lane = r * period + c * inner + i;
          t1 += load<f64>(f64At(sums, lane));
          t2 += load<f64>(f64At(squares, lane));
        }
      }
      finish(out, groups * channels, g * channels + c, load<f32>(f32At(origins, c * inner)), t1, t2, count, inner);
    }
  }
}

/**
 * For long runs of one channel: inner values at a time; the rest as momentsLanes. scratch: 16 bytes per channel.
 */
export function momentsRuns(
  x: usize, ids: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32,
): void {
  const sums = scratch;
  const squares = f64At(sums, channels);
  const size = rows * channels * inner;
  for (let g = 0; g < groups; g++) {
    let block = blockOf(ids, blocks, 0, g);
    if (block == blocks) {
      clearGroup(out, groups, g, channels);
      continue;
    }
    const base = f32At(x, block * size);
    memory.fill(sums, 0, (<usize>channels) << 4);
    let count = 0;
    for (; block < blocks; block = blockOf(ids, blocks, block + 1, g)) {
      let run = f32At(x, block * size);
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
      finish(out, groups * channels, g * channels + c, load<f32>(f32At(base, c * inner)), t1, t2, count, inner);
    }
  }
}

function finish(out: usize, slots: i32, slot: i32, shift: f64, t1: f64, t2: f64, rows: i32, inner: i32): void {
  const n = <f64>rows * <f64>inner;
  let variance = (t2 - (t1 * t1) / n) / n;
  // Not max(0, variance): rounding may leave a tiny negative, but a NaN must stay one.
  if (variance < 0) variance = 0;
  store<f32>(f32At(out, slot), <f32>(shift + t1 / n));
  store<f32>(f32At(out, slots + slot), <f32>variance);
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
function firstRows(chunk: usize, table: usize, n: i32, sums: usize, squares: usize, origins: usize): void {
  const k = v128.load(origins);
  const k0 = low(k), k1 = high(k);
  let a0 = f64x2.splat(0), a1 = f64x2.splat(0);
  let b0 = f64x2.splat(0), b1 = f64x2.splat(0);
  for (const end = f32At(table, n); table < end; table += 4) {
    const x = v128.load(chunk + load<u32>(table));
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

// @ts-ignore: decorator
@inline
function fourVectors(
  chunk: usize, ahead: usize, touching: usize, table: usize, n: i32, perRow: f64,
  sums: usize, squares: usize, origins: usize,
): void {
  const inverse = f64x2.splat(perRow);
  const shift0 = shiftOf(sums, origins, inverse);
  const shift1 = shiftOf(sums + 32, origins + 16, inverse);
  const shift2 = shiftOf(sums + 64, origins + 32, inverse);
  const shift3 = shiftOf(sums + 96, origins + 48, inverse);
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0), b3 = f32x4.splat(0);
  for (const end = f32At(table, n); table < end; table += 4) {
    touch(ahead);
    ahead += touching;
    const at = chunk + load<u32>(table);
    const d0 = f32x4.sub(v128.load(at), shift0);
    const d1 = f32x4.sub(v128.load(at, 16), shift1);
    const d2 = f32x4.sub(v128.load(at, 32), shift2);
    const d3 = f32x4.sub(v128.load(at, 48), shift3);
    a0 = f32x4.add(a0, d0);
    a1 = f32x4.add(a1, d1);
    a2 = f32x4.add(a2, d2);
    a3 = f32x4.add(a3, d3);
    b0 = f32x4.add(b0, f32x4.mul(d0, d0));
    b1 = f32x4.add(b1, f32x4.mul(d1, d1));
    b2 = f32x4.add(b2, f32x4.mul(d2, d2));
    b3 = f32x4.add(b3, f32x4.mul(d3, d3));
  }
  const count = f64x2.splat(n);
  fold(shift0, a0, b0, count, sums, squares, origins);
  fold(shift1, a1, b1, count, sums + 32, squares + 32, origins + 16);
  fold(shift2, a2, b2, count, sums + 64, squares + 64, origins + 32);
  fold(shift3, a3, b3, count, sums + 96, squares + 96, origins + 48);
}

// @ts-ignore: decorator
@inline
function oneVector(
  chunk: usize, table: usize, n: i32, perRow: f64, sums: usize, squares: usize, origins: usize,
): void {
  const shift = shiftOf(sums, origins, f64x2.splat(perRow));
  let a = f32x4.splat(0), b = f32x4.splat(0);
  for (const end = f32At(table, n); table < end; table += 4) {
    const d = f32x4.sub(v128.load(chunk + load<u32>(table)), shift);
    a = f32x4.add(a, d);
    b = f32x4.add(b, f32x4.mul(d, d));
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
      b0 = f32x4.add(b0, f32x4.mul(d0, d0));
      b1 = f32x4.add(b1, f32x4.mul(d1, d1));
      b2 = f32x4.add(b2, f32x4.mul(d2, d2));
      b3 = f32x4.add(b3, f32x4.mul(d3, d3));
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
