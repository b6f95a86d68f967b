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

/**
 * The lanes, none below that of `low` or above that of `high`. pmax(v, low) is one instruction where max is several, and
 * keeps a NaN that is its first operand; a negative zero stays one.
 */
// @ts-ignore: decorator
@inline
export function limited(v: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, low), high);
}

/** Writes zeros to a few vectors, for which memory.fill takes long to begin. */
export function clear(address: usize, bytes: usize): void {
  for (const end = address + bytes; address < end; address += 16) v128.store(address, f32x4.splat(0));
}

/** Adds the four lanes to four float64 values in memory. */
// @ts-ignore: decorator
@inline
export function addTo64(address: usize, v: v128): void {
  v128.store(address, f64x2.add(v128.load(address), low(v)));
  v128.store(address, f64x2.add(v128.load(address, 16), high(v)), 16);
}

/**
 * Lanes from which the reductions walk along the rows, and keep their sums in memory, which is in the level-1 cache. Fewer
 * lanes are summed in registers, in columns; the gradients' of tensors that stay in a cache, too.
 */
export const WIDE: i32 = 16;

/**
 * Whether so many values stay in a cache, where the order in which they are read matters less than how much is read with
 * them.
 */
// @ts-ignore: decorator
@inline
export function stayCached(values: i32): bool {
  return values <= 1 << 20;
}

/** Bytes of a row of lanes up to which the rows after it lie so close that several of them at once are in one stream. */
export const CLOSE: usize = 128;

/** Brings memory into the cache while the rows before it are summed, which takes up to a third off the time of wide rows. */
// @ts-ignore: decorator
@inline
export function touch(address: usize): void {
  load<i32>(address);
}
