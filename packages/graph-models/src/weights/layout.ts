// Where each weight lies among the bytes of a model's weights (format: tfjs-core's io/types.ts).
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { GraphWeightsError } from '../errors.ts';

/** A weight as it is stored. */
export interface StoredWeight {
  readonly spec: tf.io.WeightsManifestEntry;
  /** Its bytes, not to be written to. */
  readonly bytes: Uint8Array;
}

const SIZES: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  complex64: 8,
};

/** A text is stored after its length, which takes so many bytes. */
const LENGTH_BYTES = 4;

/**
 * Cuts a model's weights apart. Nothing is copied, unless they come in several buffers.
 *
 * @throws {GraphWeightsError} for fewer bytes than the weights take, or a kind of weight that is not known.
 */
export function cutWeights(
  specs: readonly tf.io.WeightsManifestEntry[],
  data: tf.io.WeightData,
): Map<string, StoredWeight> {
  const all = new Uint8Array(tf.io.CompositeArrayBuffer.join(data));
  const weights = new Map<string, StoredWeight>();
  let start = 0;
  for (const [at, spec] of specs.entries()) {
    const end = start + lengthOf(spec, all, start);
    if (!(end <= all.length)) {
      throw new GraphWeightsError(
        `Expected the data of ${specs.length} weights, got ${all.length} bytes, which end within weight ${at + 1}, ` +
          `'${spec.name}'. A shard is missing or cut short: load all files that weightsManifest lists, in its order.`,
      );
    }
    weights.set(spec.name, { spec, bytes: all.subarray(start, end) });
    start = end;
  }
  return weights;
}

function lengthOf(spec: tf.io.WeightsManifestEntry, all: Uint8Array, start: number): number {
  const values = tf.util.sizeFromShape(spec.shape);
  const kind = spec.quantization?.dtype ?? spec.dtype;
  if (kind === 'string') return textLength(values, all, start);
  const size = SIZES[kind];
  if (size !== undefined) return values * size;
  throw new GraphWeightsError(
    `Weight '${spec.name}': expected a dtype among ${Object.keys(SIZES).join(', ')} and string, got ${typeof kind === 'string' ? `'${kind}'` : shown(kind)}.`,
  );
}

function textLength(texts: number, all: Uint8Array, start: number): number {
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  let end = start;
  for (let text = 0; text < texts; text++) {
    if (end + LENGTH_BYTES > all.length) return Number.POSITIVE_INFINITY;
    end += LENGTH_BYTES + view.getUint32(end, true);
  }
  return end - start;
}
