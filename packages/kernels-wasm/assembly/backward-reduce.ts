// sum(dy) and sum(dy * xhat) of every channel, xhat = (x - mean) / sqrt(variance + epsilon), in one read of dy and x.
// Runs of at most RUN values are summed in float32, the runs in float64.
import { chunkOf, clearGroup, endOf, firstOf, nextChunk, offsetOf, startWalk } from './groups';
import { multiplyAdd } from './multiply-add';
import { RUN, WIDE, addTo64, clear, f32At, f64At, stayCached, total } from './numbers';
import { arePairs, inverseDeviation, inverseDeviations, spread, storePair, totalOfLanes, totalOfPair } from './lanes';

/**
 * See momentsLanes. scratch: 32 bytes per lane, with ids 288. out: [2, groups, channels], 0 for a group
 * without rows.
 */
export function backwardReduceLanes(
  dy: usize, x: usize, sorted: usize, moments: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, repeat: i32, epsilon: f64,
): void {
  const period = channels * inner;
  const lanes = period * repeat;
  const slots = groups * channels;
  const sums = scratch;
  const products = f64At(sums, lanes);
  const means = f64At(products, lanes);
  const firsts = f32At(means, lanes);
  const bufferX = f32At(firsts, 3 * lanes);
  const bufferDy = f32At(bufferX, RUN * lanes);
  const inColumns = stayCached(blocks * rows * period);
  for (let g = 0; g < groups; g++) {
    if (!startWalk(sorted, groups, rows, period, repeat, g)) {
      clearGroup(out, groups, g, channels, 2);
      continue;
    }
    clear(sums, (<usize>lanes) << 4);
    for (let c = 0; c < channels; c++) {
      spread(means, load<f32>(f32At(moments, g * channels + c)), c, inner, period, repeat);
    }
    for (let m = nextChunk(RUN); m > 0; m = nextChunk(RUN)) {
      const n = m / repeat;
      const chunkX = chunkOf(x, bufferX);
      const chunkDy = chunkOf(dy, bufferDy);
      let lane = 0;
      if (inColumns) {
        for (; lane + 16 <= lanes; lane += 16) {
          fourVectors(
            f32At(chunkDy, lane), f32At(chunkX, lane), n, lanes,
            f64At(sums, lane), f64At(products, lane), f32At(means, lane),
          );
        }
      } else if (lanes >= WIDE) {
        wideRows(chunkDy, chunkX, n, lanes, sums, products, means, firsts);
        lane = lanes;
      }
      for (; lane < lanes; lane += 4) {
        oneVector(
          f32At(chunkDy, lane), f32At(chunkX, lane), n, lanes,
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
    let c = 0;
    if (arePairs(channels, inner)) {
      for (; c < channels; c += 2) {
        const t1 = totalOfPair(sums, c, period, lanes);
        const t2 = totalOfPair(products, c, period, lanes);
        const slot = g * channels + c;
        storePair(out, slot, t1);
        storePair(out, slots + slot, f64x2.mul(t2, inverseDeviations(moments, slots, slot, epsilon)));
      }
    }
    for (; c < channels; c++) {
      const t1 = totalOfLanes(sums, c * inner, inner, period, lanes);
      const t2 = totalOfLanes(products, c * inner, inner, period, lanes);
      finish(out, moments, slots, g * channels + c, t1, t2, epsilon);
    }
  }
}

/** See momentsRuns. scratch: 16 bytes per channel. out: as backwardReduceLanes. */
export function backwardReduceRuns(
  dy: usize, x: usize, sorted: usize, moments: usize, out: usize, scratch: usize,
  groups: i32, blocks: i32, rows: i32, channels: i32, inner: i32, epsilon: f64,
): void {
  const slots = groups * channels;
  const sums = scratch;
  const products = f64At(sums, channels);
  const bytes = <u32>(rows * channels * inner) << 2;
  for (let g = 0; g < groups; g++) {
    let place = firstOf(sorted, g);
    const last = endOf(sorted, g);
    if (place == last) {
      clearGroup(out, groups, g, channels, 2);
      continue;
    }
    memory.fill(sums, 0, (<usize>channels) << 4);
    for (; place < last; place++) {
      let done = offsetOf(sorted, groups, place, bytes);
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

/** Bytes from which rows are summed one by one: so many of dy and of x at once are more than a machine reads ahead. */
const LONG: usize = 256;

/** Sums n rows in the order of memory, short ones four at once. firsts: room for two rows of lanes. */
function wideRows(
  dy: usize, x: usize, n: i32, lanes: i32,
  sums: usize, products: usize, means: usize, firsts: usize,
): void {
  const bytes = (<usize>lanes) << 2;
  const seconds = firsts + bytes;
  clear(firsts, 2 * bytes);
  let r = 0;
  for (; bytes < LONG && r + 4 <= n; r += 4, x += 4 * bytes, dy += 4 * bytes) {
    const x1 = x + bytes, x2 = x1 + bytes, x3 = x2 + bytes;
    const dy1 = dy + bytes, dy2 = dy1 + bytes, dy3 = dy2 + bytes;
    for (let at: usize = 0; at < bytes; at += 16) {
      const mean = v128.load(means + at);
      const u0 = v128.load(dy + at);
      const u1 = v128.load(dy1 + at);
      const u2 = v128.load(dy2 + at);
      const u3 = v128.load(dy3 + at);
      const first = f32x4.add(f32x4.add(u0, u1), f32x4.add(u2, u3));
      v128.store(firsts + at, f32x4.add(v128.load(firsts + at), first));
      let second = multiplyAdd(u0, f32x4.sub(v128.load(x + at), mean), v128.load(seconds + at));
      second = multiplyAdd(u1, f32x4.sub(v128.load(x1 + at), mean), second);
      second = multiplyAdd(u2, f32x4.sub(v128.load(x2 + at), mean), second);
      v128.store(seconds + at, multiplyAdd(u3, f32x4.sub(v128.load(x3 + at), mean), second));
    }
  }
  for (; r < n; r++, x += bytes, dy += bytes) {
    for (let at: usize = 0; at < bytes; at += 16) {
      const upstream = v128.load(dy + at);
      const d = f32x4.sub(v128.load(x + at), v128.load(means + at));
      v128.store(firsts + at, f32x4.add(v128.load(firsts + at), upstream));
      v128.store(seconds + at, multiplyAdd(upstream, d, v128.load(seconds + at)));
    }
  }
  for (let at: usize = 0; at < bytes; at += 16) {
    addTo64(sums + 2 * at, v128.load(firsts + at));
    addTo64(products + 2 * at, v128.load(seconds + at));
  }
}

// @ts-ignore: decorator
@inline
function oneVector(
  dy: usize, x: usize, n: i32, lanes: i32, sums: usize, products: usize, means: usize,
): void {
  const bytes = (<usize>lanes) << 2;
  const mean = v128.load(means);
  let a = f32x4.splat(0), b = f32x4.splat(0);
  for (const end = dy + <usize>n * bytes; dy < end; dy += bytes, x += bytes) {
    const upstream = v128.load(dy);
    a = f32x4.add(a, upstream);
    b = multiplyAdd(upstream, f32x4.sub(v128.load(x), mean), b);
  }
  addTo64(sums, a);
  addTo64(products, b);
}

/** The same for four vectors side by side: a line of a cache in each row. */
function fourVectors(
  dy: usize, x: usize, n: i32, lanes: i32, sums: usize, products: usize, means: usize,
): void {
  const bytes = (<usize>lanes) << 2;
  const mean0 = v128.load(means), mean1 = v128.load(means, 16), mean2 = v128.load(means, 32), mean3 = v128.load(means, 48);
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0), b3 = f32x4.splat(0);
  for (const end = dy + <usize>n * bytes; dy < end; dy += bytes, x += bytes) {
    const u0 = v128.load(dy), u1 = v128.load(dy, 16), u2 = v128.load(dy, 32), u3 = v128.load(dy, 48);
    a0 = f32x4.add(a0, u0);
    a1 = f32x4.add(a1, u1);
    a2 = f32x4.add(a2, u2);
    a3 = f32x4.add(a3, u3);
    b0 = multiplyAdd(u0, f32x4.sub(v128.load(x), mean0), b0);
    b1 = multiplyAdd(u1, f32x4.sub(v128.load(x, 16), mean1), b1);
    b2 = multiplyAdd(u2, f32x4.sub(v128.load(x, 32), mean2), b2);
    b3 = multiplyAdd(u3, f32x4.sub(v128.load(x, 48), mean3), b3);
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
      b0 = multiplyAdd(u0, f32x4.sub(v128.load(atX), means), b0);
      const u1 = v128.load(at, 16);
      a1 = f32x4.add(a1, u1);
      b1 = multiplyAdd(u1, f32x4.sub(v128.load(atX, 16), means), b1);
      const u2 = v128.load(at, 32);
      a2 = f32x4.add(a2, u2);
      b2 = multiplyAdd(u2, f32x4.sub(v128.load(atX, 32), means), b2);
      const u3 = v128.load(at, 48);
      a3 = f32x4.add(a3, u3);
      b3 = multiplyAdd(u3, f32x4.sub(v128.load(atX, 48), means), b3);
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
