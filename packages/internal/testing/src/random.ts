/** A seeded source of numbers, so that a failing test fails again. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number;
  /** `length` float32 values, normal with the given mean and standard deviation. */
  normals(length: number, mean?: number, deviation?: number): Float32Array;
}

/** mulberry32: 32 bits of state are plenty for test data. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return {
    uniform,
    normal,
    integer: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    normals: (length, mean = 0, deviation = 1) =>
      Float32Array.from({ length }, () => mean + deviation * normal()),
  };
}
