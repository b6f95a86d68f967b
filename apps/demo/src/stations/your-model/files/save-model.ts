import type { SavedModel } from '../settings.ts';
import type { ModelArtifacts } from './read-model.ts';
import { splitWeights } from './weights.ts';

/** The file that the saved weights are in, as tf.io.browserDownloads would name it for a model called `model`. */
export const WEIGHTS_FILE = 'model.weights.bin';

/**
 * The model's files with some weights replaced, and everything else, the other weights' bytes included, as it was.
 *
 * @param replaced the new values by the weights' names. Weights that were quantized are float32 from then on.
 * @throws {RangeError} if there is no such weight, or it has another number of values.
 */
export function saveModel(
  { json, specs, data }: ModelArtifacts,
  replaced: ReadonlyMap<string, Float32Array>,
): SavedModel {
  const unknown = [...replaced.keys()].filter((name) => !specs.some((spec) => spec.name === name));
  if (unknown.length > 0) throw new RangeError(`The model has no weights ${unknown.join(', ')}.`);
  const kept = splitWeights(specs, data);
  const parts = specs.map((spec, i) => {
    const values = replaced.get(spec.name);
    if (values === undefined) return { spec, bytes: kept[i] as Uint8Array };
    const size = spec.shape.reduce((product, length) => product * length, 1);
    if (values.length !== size) {
      throw new RangeError(`Weight ${spec.name}: expected ${size} values, got ${values.length}.`);
    }
    const { quantization: _, ...plain } = spec;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { spec: { ...plain, dtype: 'float32' as const }, bytes };
  });
  const weights = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of parts) {
    weights.set(bytes, at);
    at += bytes.length;
  }
  const weightsManifest = [{ paths: [`./${WEIGHTS_FILE}`], weights: parts.map(({ spec }) => spec) }];
  return { json: JSON.stringify({ ...json, weightsManifest }), weights };
}
