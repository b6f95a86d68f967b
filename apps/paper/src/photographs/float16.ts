// Half precision (IEEE 754 binary16), in which weights take half of the space.

/** The largest that rounds to a finite half. */
const LARGEST = 65_519;
const SMALLEST_NORMAL = 2 ** -14;
const SUBNORMAL_STEP = 2 ** -24;

/**
 * The bits of the nearest halves; ties go to the even one.
 *
 * @throws RangeError if a value is not finite, or too large for a half.
 */
export function toFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, bitsOf);
}

function bitsOf(value: number): number {
  const size = Math.abs(value);
  if (!(size <= LARGEST)) throw new RangeError(`float16 has no ${value}`);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (size < SMALLEST_NORMAL) return sign + roundToEven(size / SUBNORMAL_STEP);
  let exponent = Math.floor(Math.log2(size));
  // The logarithm is rounded, too.
  if (size < 2 ** exponent) exponent--;
  if (size >= 2 ** (exponent + 1)) exponent++;
  // A mantissa that rounds up to 1024 carries into the exponent, as it should.
  return sign + ((exponent + 15) << 10) + roundToEven((size / 2 ** exponent - 1) * 1024);
}

function roundToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}
