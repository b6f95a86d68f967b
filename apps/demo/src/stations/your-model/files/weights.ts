// The weights of a model as tfjs stores them: one long row of bytes, described by a list of specs.

import type * as tf from '@tensorflow/tfjs-core';

export type WeightSpec = tf.io.WeightsManifestEntry;

const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/** How many bytes a weight takes; undefined where only the bytes themselves tell, as for strings. */
export function bytesOf({ shape, dtype, quantization }: WeightSpec): number | undefined {
  const each = BYTES[quantization?.dtype ?? dtype];
  return each === undefined ? undefined : each * shape.reduce((product, size) => product * size, 1);
}

/** The bytes of each weight, in the specs' order. */
export function splitWeights(specs: readonly WeightSpec[], data: Uint8Array): Uint8Array[] {
  let at = 0;
  return specs.map((spec) => {
    const from = at;
    at += bytesOf(spec) ?? stringBytes(spec, data, at);
    return data.subarray(from, at);
  });
}

/** A string weight is its elements, each with its length in 4 bytes, little-endian, before it. */
function stringBytes({ shape }: WeightSpec, data: Uint8Array, from: number): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = shape.reduce((product, size) => product * size, 1);
  let at = from;
  for (let i = 0; i < count; i++) at += 4 + view.getUint32(at, true);
  return at - from;
}
