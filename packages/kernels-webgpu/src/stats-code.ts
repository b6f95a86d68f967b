// WGSL for the moments of a part of the values: how many there are, their mean and the squares of their deviations, and
// how those of two parts become those of both (Chan, Golub & LeVeque 1983).
//
// float32 is enough for 1e-6 because errors do not add up: a mean is a pair of floats, high + low (Dekker 1971), so that
// one far from zero keeps the digits that the deviations need.
import { WORKGROUP } from './walk.ts';

export type Type = 'f32' | 'vec4<f32>';

/**
 * struct `name` of `type`, `combined${name}(a, b)`, and `opaque${name}`: the same number, by a way that no compiler can
 * see through. Some may reassociate sums, which would take (a + b) - a for b.
 */
export function statsCode(name: string, type: Type): string {
  const bits = type.replace('f32', 'u32');
  return `
struct ${name} { n : f32, high : ${type}, low : ${type}, squares : ${type} };

fn opaque${name}(value : ${type}) -> ${type} {
  return bitcast<${type}>(bitcast<${bits}>(value) ^ ${bits}(uniforms.zero));
}

fn combined${name}(a : ${name}, b : ${name}) -> ${name} {
  if (b.n == 0.0) { return a; }
  if (a.n == 0.0) { return b; }
  let n = a.n + b.n;
  let share = b.n / n;
  let delta = (b.high - a.high) + (b.low - a.low);
  let low = a.low + delta * share;
  let high = opaque${name}(a.high + low);
  // What the sum has lost (Knuth 1969).
  let added = opaque${name}(high - a.high);
  let lost = (a.high - opaque${name}(high - added)) + (low - added);
  return ${name}(n, high, lost, (a.squares + b.squares) + delta * delta * (a.n * share));
}
`;
}

/** Room for one `Stats` per thread: `put` and `held`. */
export function sharedStatsCode(type: Type): string {
  return `
var<workgroup> ns : array<f32, ${WORKGROUP}>;
var<workgroup> highs : array<${type}, ${WORKGROUP}>;
var<workgroup> lows : array<${type}, ${WORKGROUP}>;
var<workgroup> allSquares : array<${type}, ${WORKGROUP}>;

fn put(at : i32, value : Stats) {
  ns[at] = value.n;
  highs[at] = value.high;
  lows[at] = value.low;
  allSquares[at] = value.squares;
}

fn held(at : i32) -> Stats {
  return Stats(ns[at], highs[at], lows[at], allSquares[at]);
}
`;
}
