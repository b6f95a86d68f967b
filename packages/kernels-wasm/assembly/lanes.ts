// Per-channel coefficients, and their copies per lane: where rows are taken `repeat` at a time (see moments.ts), lane
// l belongs to channel (l % (channels * inner)) / inner.
import { f32At } from './numbers';

/** 1 / sqrt(variance + epsilon) of one slot of [2, groups, channels], in float64. */
// @ts-ignore: decorator
@inline
export function inverseDeviation(moments: usize, slots: i32, slot: i32, epsilon: f64): f64 {
  return 1 / sqrt(<f64>load<f32>(f32At(moments, slots + slot)) + epsilon);
}

/** The channel's value of an optional tensor. */
// @ts-ignore: decorator
@inline
export function optional(tensor: usize, channel: i32, otherwise: f32): f32 {
  return tensor ? load<f32>(f32At(tensor, channel)) : otherwise;
}

/** Writes a channel's coefficient to each of its lanes. */
// @ts-ignore: decorator
@inline
export function spread(to: usize, value: f32, channel: i32, inner: i32, period: i32, repeat: i32): void {
  for (let r = 0; r < repeat; r++) {
    const start = f32At(to, r * period + channel * inner);
    for (let i = 0; i < inner; i++) store<f32>(f32At(start, i), value);
  }
}
