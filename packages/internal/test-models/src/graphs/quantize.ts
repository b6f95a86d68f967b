// Values quantized as tensorflowjs_converter does; plain and slow.

/** The values that weights have when they are loaded, and how they are stored. */
export interface Quantized {
  readonly codes: Uint8Array | Uint16Array;
  readonly quantization: { readonly dtype: 'uint8' | 'uint16' | 'float16'; scale?: number; min?: number };
  readonly values: Float32Array;
}

/** Quantizes values to the grid between the least and the largest, or to half precision. */
export function quantize(values: ArrayLike<number>, dtype: 'uint8' | 'uint16' | 'float16'): Quantized {
  if (dtype === 'float16') {
    const codes = Uint16Array.from(values, nearestHalf);
    return { codes, quantization: { dtype }, values: Float32Array.from(codes, halfOf) };
  }
  const list = Array.from(values);
  const min = Math.min(...list);
  const last = dtype === 'uint8' ? 255 : 65535;
  const scale = (Math.max(...list) - min) / last || 1;
  const steps = list.map((value) => Math.round((value - min) / scale));
  const codes = dtype === 'uint8' ? Uint8Array.from(steps) : Uint16Array.from(steps);
  return {
    codes,
    quantization: { dtype, scale, min },
    values: Float32Array.from(codes, (code) => code * scale + min),
  };
}

/** What the 16 bits of a half stand for (IEEE 754). */
export function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
  const size =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? (fraction / 1024) * 2 ** -14
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return sign === 1 ? -size : size;
}

/** The finite halves that are not negative, which rise with their bits. */
const HALVES = Array.from({ length: 0x7c00 }, (_, bits) => halfOf(bits));

/** The bits of the half next to a finite value, found by looking at all; of two equally near, the even one. */
export function nearestHalf(value: number): number {
  const size = Math.abs(value);
  let [low, high] = [0, HALVES.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (HALVES[middle]! <= size) low = middle;
    else high = middle - 1;
  }
  const next = Math.min(low + 1, HALVES.length - 1);
  const [below, above] = [size - HALVES[low]!, HALVES[next]! - size];
  const nearest = above < below || (above === below && low % 2 === 1) ? next : low;
  return value < 0 ? nearest | 0x8000 : nearest;
}
