// The weights of a model whose files are not at hand, from the device.
import * as tf from '@tensorflow/tfjs-core';
import { GraphWeightsError } from '../errors.ts';
import type { GraphSource } from '../source.ts';
import { encodeWeight } from '../weights/codec.ts';
import type { StoredWeight } from '../weights/layout.ts';

/**
 * Reads all weights, and stores them as they came: a quantized weight has its bytes again, since what was made of them lies
 * on its grid. What is asked for is the weights at the moment of the call.
 *
 * @throws (rejects) {GraphWeightsError} if one cannot be read.
 */
export async function readBack({ specs, tensors }: GraphSource): Promise<Map<string, StoredWeight>> {
  const read = specs.map(async (spec) => {
    try {
      return [spec.name, await readWeight(spec, tensors.get(spec.name)!)] as const;
    } catch (cause) {
      throw new GraphWeightsError(
        `bake: weight '${spec.name}' could not be read: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      );
    }
  });
  return new Map(await Promise.all(read));
}

async function readWeight(spec: tf.io.WeightsManifestEntry, tensor: tf.Tensor): Promise<StoredWeight> {
  if (spec.quantization !== undefined) {
    return encodeWeight(spec, Float32Array.from(await tensor.data()), 'float32');
  }
  const { data } = await tf.io.encodeWeights([{ name: spec.name, tensor }]);
  return { spec, bytes: new Uint8Array(data as ArrayBuffer) };
}
