// Weights from bytes to numbers and back, as tfjs-core's io/io_utils.ts stores and quantizes them.
import type * as tf from '@tensorflow/tfjs-core';
import { GraphWeightsError } from '../errors.ts';
import { halfBits, halfValues, LARGEST_HALF } from './float16.ts';
import type { StoredWeight } from './layout.ts';

/** How a weight is stored that no longer fits the way in which it came. */
export type Precision = 'float32' | 'float16';

type Spec = tf.io.WeightsManifestEntry;

/**
 * The values of a float32 weight, quantized or not.
 *
 * @throws {GraphWeightsError} for a quantization that lacks its scale.
 */
export function decodeWeight({ spec, bytes }: StoredWeight): Float32Array {
  const { quantization } = spec;
  // A copy, since what lies between other weights need not be aligned.
  const { buffer } = bytes.slice();
  if (quantization === undefined) return new Float32Array(buffer);
  const codes = quantization.dtype === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const values = new Float32Array(codes.length);
  if (quantization.dtype === 'float16') {
    const halves = halfValues();
    for (let at = 0; at < codes.length; at++) values[at] = halves[codes[at]!]!;
    return values;
  }
  const { scale, min } = gridOf(spec);
  for (let at = 0; at < codes.length; at++) values[at] = codes[at]! * scale + min;
  return values;
}

/**
 * Stores values as the weight's specification says, if each of them stays within half a quantization step of what is
 * stored; otherwise in `precision`, or in float32 if that cannot hold them either.
 *
 * @param values finite.
 */
export function encodeWeight(spec: Spec, values: Float32Array, precision: Precision): StoredWeight {
  const { quantization, ...plain } = spec;
  const kept = quantization && encodeAs(spec, values);
  if (kept !== undefined) return { spec, bytes: kept };
  if (quantization !== undefined && precision === 'float16') {
    const half: Spec = { ...plain, quantization: { dtype: 'float16' } };
    const bytes = encodeAs(half, values);
    if (bytes !== undefined) return { spec: half, bytes };
  }
  return { spec: plain, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Undefined where values lie outside of what can be stored so. */
function encodeAs(spec: Spec, values: Float32Array): Uint8Array | undefined {
  const { dtype } = spec.quantization!;
  if (dtype === 'float16') {
    if (values.some((value) => Math.abs(value) > LARGEST_HALF)) return undefined;
    return new Uint8Array(Uint16Array.from(values, halfBits).buffer);
  }
  const { scale, min } = gridOf(spec);
  const last = dtype === 'uint8' ? 255 : 65535;
  const steps = Float64Array.from(values, (value) => (value - min) / scale);
  if (!steps.every((at) => at >= -0.5 && at <= last + 0.5)) return undefined;
  const codes = steps.map((at) => Math.min(last, Math.max(0, Math.round(at))));
  return dtype === 'uint8' ? Uint8Array.from(codes) : new Uint8Array(Uint16Array.from(codes).buffer);
}

function gridOf({ name, quantization }: Spec): { readonly scale: number; readonly min: number } {
  const { scale, min, dtype } = quantization!;
  if (scale !== undefined && min !== undefined) return { scale, min };
  throw new GraphWeightsError(
    `Weight '${name}': expected its quantization to ${dtype} to say scale and min, got ${JSON.stringify(quantization)}.`,
  );
}
