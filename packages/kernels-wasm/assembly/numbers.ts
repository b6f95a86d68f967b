// Small helpers that every kernel needs: addresses, lanes of a vector, and the step from float32 to float64.

/** float32 values that may be summed in float32 before the sum goes to float64: longer sums lose digits. */
export const RUN: i32 = 32;

// @ts-ignore: decorator
@inline
export function f32At(base: usize, index: i32): usize {
  return base + ((<usize>index) << 2);
}

// @ts-ignore: decorator
@inline
export function f64At(base: usize, index: i32): usize {
  return base + ((<usize>index) << 3);
}

/** Lanes 0 and 1 in float64. */
// @ts-ignore: decorator
@inline
export function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** Lanes 2 and 3 in float64. */
// @ts-ignore: decorator
@inline
export function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 1));
}

/** The sum of the four lanes, in float64. */
// @ts-ignore: decorator
@inline
export function total(v: v128): f64 {
  const pair = f64x2.add(low(v), high(v));
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

/** Adds the four lanes to four float64 values in memory. */
// @ts-ignore: decorator
@inline
export function addTo64(address: usize, v: v128): void {
  v128.store(address, f64x2.add(v128.load(address), low(v)));
  v128.store(address, f64x2.add(v128.load(address, 16), high(v)), 16);
}

// The reductions walk a block of rows in columns of 64 bytes, an order that the processor does not foresee. Touching the
// next block in the order of memory meanwhile brings it into the cache, which takes a fifth off their time.

/** Where to touch while a block of n rows is summed: what follows it, or the block itself if no other one follows. */
// @ts-ignore: decorator
@inline
export function nextBlock(block: usize, lanes: i32, n: i32, more: bool): usize {
  return more ? block + ((<usize>(n * lanes)) << 2) : block;
}

// @ts-ignore: decorator
@inline
export function touch(address: usize): void {
  load<i32>(address);
}
