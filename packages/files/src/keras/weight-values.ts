import type { io } from '@tensorflow/tfjs-core';
import { WeightsError } from '../errors.ts';
import { elementsOf } from '../h5/datatype.ts';

/** A weight of artifacts. Its values are made when they are asked for. */
export interface GivenWeight {
  readonly shape: readonly number[];
  values(): ArrayLike<number>;
}

/** How to read one value, little-endian, and its bytes. */
type Reader = readonly [bytes: number, read: (view: DataView, at: number) => number];

const READERS: Readonly<Record<string, Reader>> = {
  float32: [4, (view, at) => view.getFloat32(at, true)],
  float16: [2, (view, at) => fromFloat16(view.getUint16(at, true))],
  int32: [4, (view, at) => view.getInt32(at, true)],
  bool: [1, (view, at) => view.getUint8(at)],
  uint8: [1, (view, at) => view.getUint8(at)],
  uint16: [2, (view, at) => view.getUint16(at, true)],
};

/**
 * Weights as TensorFlow.js stores them, quantized ones expanded, by name. `bytes` has been checked to be as long as the
 * specifications say. Throws `WeightsError` for a type that no Keras file has.
 */
export function valuesOf(
  specs: readonly io.WeightsManifestEntry[],
  bytes: Uint8Array,
): Map<string, GivenWeight> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<string, GivenWeight>();
  let at = 0;
  for (const { name, shape, dtype, quantization } of specs) {
    const type = quantization?.dtype ?? dtype;
    const reader = READERS[type];
    if (!reader)
      throw new WeightsError(`The weight '${name}' is of the type ${type}, which no Keras file has.`);
    const [size, read] = reader;
    const count = elementsOf(shape);
    const start = at;
    at += count * size;
    const { scale = 1, min = 0 } = quantization ?? {};
    // TensorFlow.js computes in float64 and keeps float32, or the nearest whole number.
    const expanded = (value: number) =>
      dtype === 'int32' ? Math.round(value * scale + min) : Math.fround(value * scale + min);
    const exact = quantization === undefined || type === 'float16';
    found.set(name, {
      shape,
      values: () =>
        Float64Array.from({ length: count }, (_, i) => {
          const value = read(view, start + i * size);
          return exact ? value : expanded(value);
        }),
    });
  }
  return found;
}

function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
