// Numbers in half precision (IEEE 754 binary16), which not every runtime that we support has arrays for.

/** The largest finite one. */
export const LARGEST_HALF = 65504;

/** The bits of the half that is nearest to a number; of two equally near ones, the even one. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // Half a step above the largest: from here on the nearest is infinity.
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 halves lie 2^-24 apart; from there on, 1,024 of them lie between two powers of 2.
  const exponent = Math.max(-14, size === 0 ? -14 : floorLog2(size));
  const step = 2 ** (exponent - 10);
  const steps = roundToEven(size / step);
  // A number of steps that reaches the next power of 2 carries into the exponent by itself.
  return sign | (((exponent + 14) << 10) + steps);
}

/** The numbers that the bits of all halves stand for, made when they are first asked for: 256 kB. */
export function halfValues(): Float32Array {
  values ??= Float32Array.from({ length: 65536 }, (_, bits) => halfOf(bits));
  return values;
}

let values: Float32Array | undefined;

function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Exact, unlike the floor of a logarithm that was rounded. */
function floorLog2(value: number): number {
  const guess = Math.floor(Math.log2(value));
  if (2 ** guess > value) return guess - 1;
  return 2 ** (guess + 1) <= value ? guess + 1 : guess;
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
