// A model's file with other statistics in it: every other byte stays as it came.
import { bake, type Precision } from '@rebatch/graph-models';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { ModelUseError } from '../errors.ts';
import type { LoadedModel } from './load-model.ts';

/** Which weights of a model are written to from now on. */
export interface Watch {
  /** The model's artifacts with what was written since; all else byte by byte as it was opened. */
  artifacts(options?: { readonly precision?: Precision }): Promise<tf.io.ModelArtifacts>;
}

/** Watches a model that is as its file says. */
export function watchModel(loaded: LoadedModel): Watch {
  const { layers, opened } = loaded;
  if (layers === undefined) return { artifacts: async (options = {}) => bake(loaded.graph()!, options) };
  const variables = layers.weights.map((variable) => ({ variable, data: dataOf(variable) }));
  return {
    async artifacts() {
      const changed = variables.filter(({ variable, data }) => dataOf(variable) !== data);
      const values = new Map<string, Float32Array>();
      const specs = opened.artifacts.weightSpecs ?? [];
      // As tf.layers looks for them: by the name, and only then without a cell's.
      const names = new Map([
        ...specs.map(({ name }) => [short(name), name] as const),
        ...specs.map(({ name }) => [name, name] as const),
      ]);
      for (const { variable } of changed) {
        const name = names.get(variable.originalName);
        if (name === undefined) {
          throw new ModelUseError(
            `The file of the model has no weight '${variable.originalName}', which was to change.`,
          );
        }
        values.set(name, (await variable.read().data()) as Float32Array);
      }
      return replaceWeights(opened.artifacts, values);
    },
  };
}

/** Whatever is assigned to a variable brings data of its own. */
const dataOf = (variable: tfl.LayerVariable) => variable.read().dataId;

/** TensorFlow 2.2 has the name of a cell in those of its weights, which tf.layers leaves out. */
function short(name: string): string {
  const tokens = name.split('/');
  return [...tokens.slice(0, -2), tokens.at(-1)!].join('/');
}

/** @param values by name; what was quantized becomes float32. */
export function replaceWeights(
  artifacts: tf.io.ModelArtifacts,
  values: ReadonlyMap<string, Float32Array>,
): tf.io.ModelArtifacts {
  const { weightSpecs = [], weightData = new ArrayBuffer(0) } = artifacts;
  const all = new Uint8Array(Array.isArray(weightData) ? joined(weightData) : weightData);
  const parts: Uint8Array[] = [];
  let at = 0;
  const specs = weightSpecs.map((spec) => {
    const length = bytesOf(spec);
    const fresh = values.get(spec.name);
    parts.push(fresh ? new Uint8Array(Float32Array.from(fresh).buffer) : all.subarray(at, at + length));
    at += length;
    if (!fresh) return spec;
    const { quantization: _, ...plain } = spec;
    return { ...plain, dtype: 'float32' as const };
  });
  return { ...artifacts, weightSpecs: specs, weightData: joined(parts) };
}

/** As they are stored. */
function bytesOf({ shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  const type = quantization?.dtype ?? dtype;
  const each = { float32: 4, int32: 4, bool: 1, complex64: 8, uint8: 1, uint16: 2, float16: 2 }[
    type as string
  ];
  if (each === undefined) throw new ModelUseError(`Weights of ${type} cannot be kept as they are.`);
  return shape.reduce((a, b) => a * b, each);
}

function joined(parts: readonly (Uint8Array | ArrayBuffer)[]): ArrayBuffer {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(
      new Uint8Array(
        part instanceof ArrayBuffer ? part : part.buffer,
        part instanceof ArrayBuffer ? 0 : part.byteOffset,
        part.byteLength,
      ),
      at,
    );
    at += part.byteLength;
  }
  return all.buffer;
}

/** A model of tf.layers that was made here, as artifacts. */
export async function artifactsOf(model: tfl.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  return saved!;
}
