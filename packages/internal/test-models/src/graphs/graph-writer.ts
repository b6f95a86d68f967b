// Writes graphs as tensorflowjs_converter does: a GraphDef in JSON, and weights as bytes with their manifest.
import type * as tf from '@tensorflow/tfjs-core';
import { quantize } from './quantize.ts';

type Spec = tf.io.WeightsManifestEntry;

/** The attributes of a node, as the JSON form of a GraphDef has them. */
export type Attributes = Readonly<Record<string, object>>;

export const attribute = {
  ints: (...values: readonly number[]) => ({ list: { i: values.map(String) } }),
  text: (value: string) => ({ s: btoa(value) }),
  texts: (...values: readonly string[]) => ({ list: { s: values.map((value) => btoa(value)) } }),
  float: (value: number) => ({ f: value }),
  int: (value: number) => ({ i: String(value) }),
  bool: (value: boolean) => ({ b: value }),
  type: (value: string) => ({ type: value }),
  shape: (sizes: readonly (number | null)[]) => ({
    shape: { dim: sizes.map((size) => ({ size: String(size ?? -1) })) },
  }),
};

/** How a weight is stored. */
export type Storage = 'float32' | 'float16' | 'uint16' | 'uint8';

/** A graph that is being written, node by node. */
export class GraphWriter {
  readonly #nodes: object[] = [];
  readonly #inputs: Record<string, object> = {};
  readonly #specs: Spec[] = [];
  readonly #bytes: Uint8Array[] = [];

  /** A placeholder; null in its shape where any size will do. */
  input(name: string, shape: readonly (number | null)[], type = 'DT_FLOAT'): string {
    const size = attribute.shape(shape);
    this.#inputs[name] = { name: `${name}:0`, dtype: type, tensorShape: size.shape };
    return this.node('Placeholder', name, [], { dtype: attribute.type(type), shape: size });
  }

  /** A constant of float32 values. */
  constant(name: string, values: ArrayLike<number>, shape: readonly number[], storage: Storage = 'float32') {
    if (storage === 'float32') {
      return this.#weight(
        { name, shape: [...shape], dtype: 'float32' },
        new Float32Array(Array.from(values)),
      );
    }
    const { codes, quantization } = quantize(values, storage);
    return this.#weight({ name, shape: [...shape], dtype: 'float32', quantization }, codes);
  }

  /** A constant of whole numbers. */
  ints(name: string, values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#weight({ name, shape: [...shape], dtype: 'int32' }, Int32Array.from(values));
  }

  /** Any node. */
  node(op: string, name: string, input: readonly string[], attr: Attributes = {}): string {
    this.#nodes.push({ name, op, ...(input.length > 0 && { input: [...input] }), attr });
    return name;
  }

  /** The graph. @param outputs names of nodes, with their shapes; without any, it has no signature. */
  artifacts(outputs: Readonly<Record<string, readonly (number | null)[]>> = {}): tf.io.ModelArtifacts {
    const entries = Object.entries(outputs).map(([name, shape]) => {
      const { shape: tensorShape } = attribute.shape(shape);
      return [name, { name: `${name}:0`, dtype: 'DT_FLOAT', tensorShape }];
    });
    const data = Uint8Array.from(this.#bytes.flatMap((part) => [...part]));
    return {
      format: 'graph-model',
      generatedBy: '2.15.0',
      convertedBy: 'a writer for tests',
      modelTopology: { node: this.#nodes, library: {}, versions: { producer: 1645 } },
      ...(entries.length > 0 && {
        signature: { inputs: this.#inputs, outputs: Object.fromEntries(entries) },
      }),
      weightSpecs: this.#specs,
      weightData: data.buffer,
    };
  }

  #weight(spec: Spec, values: Float32Array | Int32Array | Uint16Array | Uint8Array): string {
    this.#specs.push(spec);
    this.#bytes.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    const types = { float32: 'DT_FLOAT', int32: 'DT_INT32' } as Record<string, string>;
    const dtype = types[spec.dtype]!;
    const tensor = { tensor: { dtype, tensorShape: attribute.shape(spec.shape).shape } };
    return this.node('Const', spec.name, [], { value: tensor, dtype: attribute.type(dtype) });
  }
}
