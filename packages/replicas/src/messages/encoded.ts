// Tensors that can be posted to another thread.
import * as tf from '@tensorflow/tfjs-core';

/** Tensors as bytes. */
export interface Encoded {
  readonly data: ArrayBuffer;
  readonly specs: tf.io.WeightsManifestEntry[];
}

/** Tensors as bytes, with numbers before the names, which need not be unique. */
export async function encode(weights: readonly { name: string; tensor: tf.Tensor }[]): Promise<Encoded> {
  const numbered = weights.map(({ name, tensor }, at) => ({ name: `${at} ${name}`, tensor }));
  const { data, specs } = await tf.io.encodeWeights(numbered);
  return { data, specs };
}

/** The name that a tensor was encoded with. */
export const nameIn = (numbered: string) => numbered.slice(numbered.indexOf(' ') + 1);

/** A number that differs, in all likelihood, where a bit does (FNV-1a over the bytes). */
export function checksumOf({ data }: Encoded): number {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(data)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
