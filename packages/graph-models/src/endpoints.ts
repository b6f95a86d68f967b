// The inputs and outputs of a graph, as its signature names them.

import type { Endpoint } from '@rebatch/models';
import type * as tf from '@tensorflow/tfjs-core';
import { GraphModelError } from './errors.ts';
import type { GraphModelOptions } from './options.ts';
import type { LoadedGraph } from './source.ts';

interface Signature {
  readonly outputs?: Readonly<Record<string, SignatureEntry>> | null;
}

interface SignatureEntry {
  readonly name?: string;
  readonly tensorShape?: {
    readonly dim?: readonly { readonly size?: string | number }[] | null;
    readonly unknownRank?: boolean;
  } | null;
}

/** The signature that counts, as TensorFlow.js chooses it. */
function signatureOf(artifacts: tf.io.ModelArtifacts): Signature | undefined {
  return (artifacts.userDefinedMetadata?.signature ?? artifacts.signature) as Signature | undefined;
}

/** The names of the nodes that are outputs; undefined where the signature names none. */
export function outputNodeNames(artifacts: tf.io.ModelArtifacts): string[] | undefined {
  const outputs = Object.values(signatureOf(artifacts)?.outputs ?? {});
  const names = outputs.flatMap(({ name }) => (name === undefined ? [] : [name.split(':')[0]!]));
  return names.length === 0 ? undefined : names;
}

/** @throws {GraphModelError} for an input of which nothing says the shape. */
export function inputsOf(model: LoadedGraph, { inputShapes = {} }: GraphModelOptions): Endpoint[] {
  return model.inputNodes.map((name, at) => {
    const input = model.inputs[at]!;
    const shape = inputShapes[name] ?? input.shape?.map(sizeOf);
    if (shape !== undefined)
      return { name, shape, ...(input.dtype && { dtype: input.dtype, takesNoOther: true }) };
    throw new GraphModelError(
      `graphModel: the graph does not say the shape of its input '${name}'. Say it with the option inputShapes: ` +
        `{ '${name}': [null, 224, 224, 3] }, say.`,
    );
  });
}

/** The shapes are empty where the signature does not say them. */
export function outputsOf(model: LoadedGraph, artifacts: tf.io.ModelArtifacts): Endpoint[] {
  const entries = signatureOf(artifacts)?.outputs ?? {};
  return model.outputNodes.map((name) => ({ name, shape: shapeOf(entries[name]) }));
}

function shapeOf(entry: SignatureEntry | undefined): (number | null)[] {
  const { tensorShape } = entry ?? {};
  if (tensorShape == null || tensorShape.unknownRank) return [];
  return (tensorShape.dim ?? []).map(({ size }) => sizeOf(Number(size ?? 0)));
}

function sizeOf(size: number): number | null {
  return size < 0 ? null : size;
}
