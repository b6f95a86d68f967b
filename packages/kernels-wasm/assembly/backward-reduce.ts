// sum(dy) and sum(dy * xhat) of every channel, xhat = (x - mean) / sqrt(variance + epsilon), in one read of dy and x.
// Runs of at most RUN values are summed in float32, the runs in float64.
import { TABLES, blockOf, chunkOf, chunkTable, clearGroup, continues, nextChunk, startWalk } from './groups';
import { RUN, addTo64, f32At, f64At, nextBlock, total, touch } from './numbers';
import { inverseDeviation, spread } from './lanes';

/**
 * See momentsLanes. scratch: TABLES bytes and 20 per lane, with ids 276. out: [2, groups, channels], 0 for a group
 * without rows.
 */
export function backwardReduceLanes(
  dy: usize, x: usize, ids: usize, moments: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, repeat: i32, epsilon: f64,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const slots = groups * channels;
  const sums = scratch;
  const products = f64At(sums, lanes);
  const means = f64At(products, lanes);
  const tables = f32At(means, lanes);
  const bufferX = tables + TABLES;
  const bufferDy = f32At(bufferX, RUN * lanes);
  for (let g = 0; g < groups; g++) {
    if (!startWalk(ids, blocks, rows, period, repeat, g, tables)) {
      clearGroup(out, groups, g, channels);
      continue;
    }
    memory.fill(sums, 0, (<usize>lanes) << 4);
    for (let c = 0; c < channels; c++) {
      spread(means, load<f32>(f32At(moments, g * channels + c)), c, inner, period, repeat);
    }
    for (let m = nextChunk(RUN); m > 0; m = nextChunk(RUN)) {
      const n = m / repeat;
      const chunkX = chunkOf(x, bufferX);
      const chunkDy = chunkOf(dy, bufferDy);
      const table = chunkTable();
      const more = continues();
      const touching: usize = more ? 64 : 0;
      const aheadX = nextBlock(chunkX, lanes, n, more);
      const aheadDy = nextBlock(chunkDy, lanes, n, more);
      let lane = 0;
      for (let ahead: usize = 0; lane + 16 <= lanes; lane += 16, ahead += (<usize>n) * touching) {
        fourVectors(
          f32At(chunkDy, lane), f32At(chunkX, lane), aheadDy + ahead, aheadX + ahead, touching, table, n,
          f64At(sums, lane), f64At(products, lane), f32At(means, lane),
        );
      }
      for (; lane < lanes; lane += 4) {
        oneVector(
          f32At(chunkDy, lane), f32At(chunkX, lane), table, n,
          f64At(sums, lane), f64At(products, lane), f32At(means, lane),
        );
      }
      const done = n * lanes;
      const left = m * period - done;
      for (let i = 0; i < left; i++) {
        const upstream = <f64>load<f32>(f32At(chunkDy, done + i));
        const d = <f64>load<f32>(f32At(chunkX, done + i)) - <f64>load<f32>(f32At(means, i));
        store<f64>(f64At(sums, i), load<f64>(f64At(sums, i)) + upstream);
        store<f64>(f64At(products, i), load<f64>(f64At(products, i)) + upstream * d);
      }
    }
    for (let c = 0; c < channels; c++) {
      let t1: f64 = 0;
      let t2: f64 = 0;
      for (let r = 0; r < repeat; r++) {
        for (let i = 0; i < inner; i++) {
          const lane = r * period + c * inner + i;
          t1 += load<f64>(f64At(sums, lane));
          t2 += load<f64>(f64At(products, lane));
        }
      }
      finish(out, moments, slots, g * channels + c, t1, t2, epsilon);
    }
  }
}

/** See momentsRuns. scratch: 16 bytes per channel. out: as backwardReduceLanes. */
export function backwardReduceRuns(
  dy: usize, x: usize, ids: usize, moments: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, epsilon: f64,
): void {
  const slots = groups * channels;
  const sums = scratch;
  const products = f64At(sums, channels);
  for (let g = 0; g < groups; g++) {
    let block = blockOf(ids, blocks, 0, g);
    if (block == blocks) {
      clearGroup(out, groups, g, channels);
      continue;
    }
    memory.fill(sums, 0, (<usize>channels) << 4);
    for (; block < blocks; block = blockOf(ids, blocks, block + 1, g)) {
      let done = (<usize>(block * rows * channels * inner)) << 2;
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < channels; c++) {
          const mean = load<f32>(f32At(moments, g * channels + c));
          addRun(dy + done, x + done, inner, f64At(sums, c), f64At(products, c), mean);
          done += (<usize>inner) << 2;
        }
      }
    }
    for (let c = 0; c < channels; c++) {
      finish(
        out, moments, slots, g * channels + c, load<f64>(f64At(sums, c)), load<f64>(f64At(products, c)), epsilon,
      );
    }
  }
}

// @ts-ignore: decorator
@inline
function finish(out: usize, moments: usize, slots: i32, slot: i32, t1: f64, t2: f64, epsilon: f64): void {
  store<f32>(f32At(out, slot), <f32>t1);
  store<f32>(f32At(out, slots + slot), <f32>(t2 * inverseDeviation(moments, slots, slot, epsilon)));
}

// @ts-ignore: decorator
@inline
function fourVectors(
  chunkDy: usize, chunkX: usize, aheadDy: usize, aheadX: usize, touching: usize, table: usize, n: i32,
  sums: usize, products: usize, means: usize,
): void {
  const mean0 = v128.load(means);
  const mean1 = v128.load(means, 16);
  const mean2 = v128.load(means, 32);
  const mean3 = v128.load(means, 48);
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0), b3 = f32x4.splat(0);
  for (const end = f32At(table, n); table < end; table += 4) {
    touch(aheadDy);
    touch(aheadX);
    aheadDy += touching;
    aheadX += touching;
    const from = load<u32>(table);
    const dy = chunkDy + from;
    const x = chunkX + from;
    const u0 = v128.load(dy);
    a0 = f32x4.add(a0, u0);
    b0 = f32x4.add(b0, f32x4.mul(u0, f32x4.sub(v128.load(x), mean0)));
    const u1 = v128.load(dy, 16);
    a1 = f32x4.add(a1, u1);
    b1 = f32x4.add(b1, f32x4.mul(u1, f32x4.sub(v128.load(x, 16), mean1)));
    const u2 = v128.load(dy, 32);
    a2 = f32x4.add(a2, u2);
    b2 = f32x4.add(b2, f32x4.mul(u2, f32x4.sub(v128.load(x, 32), mean2)));
    const u3 = v128.load(dy, 48);
    a3 = f32x4.add(a3, u3);
    b3 = f32x4.add(b3, f32x4.mul(u3, f32x4.sub(v128.load(x, 48), mean3)));
  }
  addTo64(sums, a0);
  addTo64(sums + 32, a1);
  addTo64(sums + 64, a2);
  addTo64(sums + 96, a3);
  addTo64(products, b0);
  addTo64(products + 32, b1);
  addTo64(products + 64, b2);
  addTo64(products + 96, b3);
}

// @ts-ignore: decorator
@inline
function oneVector(
  chunkDy: usize, chunkX: usize, table: usize, n: i32, sums: usize, products: usize, means: usize,
): void {
  const mean = v128.load(means);
  let a = f32x4.splat(0), b = f32x4.splat(0);
  for (const end = f32At(table, n); table < end; table += 4) {
    const from = load<u32>(table);
    const upstream = v128.load(chunkDy + from);
    a = f32x4.add(a, upstream);
    b = f32x4.add(b, f32x4.mul(upstream, f32x4.sub(v128.load(chunkX + from), mean)));
  }
  addTo64(sums, a);
  addTo64(products, b);
}

function addRun(dy: usize, x: usize, length: i32, sum: usize, product: usize, mean: f32): void {
  const means = f32x4.splat(mean);
  let t1: f64 = 0;
  let t2: f64 = 0;
  let i = 0;
  while (i + 16 <= length) {
    const n = min(16 * RUN, (length - i) & ~15);
    let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0);
    let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0), b3 = f32x4.splat(0);
    const end = f32At(dy, i + n);
    let atX = f32At(x, i);
    for (let at = f32At(dy, i); at < end; at += 64, atX += 64) {
      const u0 = v128.load(at);
      a0 = f32x4.add(a0, u0);
      b0 = f32x4.add(b0, f32x4.mul(u0, f32x4.sub(v128.load(atX), means)));
      const u1 = v128.load(at, 16);
      a1 = f32x4.add(a1, u1);
      b1 = f32x4.add(b1, f32x4.mul(u1, f32x4.sub(v128.load(atX, 16), means)));
      const u2 = v128.load(at, 32);
      a2 = f32x4.add(a2, u2);
      b2 = f32x4.add(b2, f32x4.mul(u2, f32x4.sub(v128.load(atX, 32), means)));
      const u3 = v128.load(at, 48);
      a3 = f32x4.add(a3, u3);
      b3 = f32x4.add(b3, f32x4.mul(u3, f32x4.sub(v128.load(atX, 48), means)));
    }
    t1 += total(a0) + total(a1) + total(a2) + total(a3);
    t2 += total(b0) + total(b1) + total(b2) + total(b3);
    i += n;
  }
  for (; i < length; i++) {
    const upstream = <f64>load<f32>(f32At(dy, i));
    t1 += upstream;
    t2 += upstream * (<f64>load<f32>(f32At(x, i)) - <f64>mean);
  }
  store<f64>(sum, load<f64>(sum) + t1);
  store<f64>(product, load<f64>(product) + t2);
}
