import { UnsupportedLayerError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';

/** What goes along while a Keras configuration is rewritten. */
export interface Context {
  /** What messages call the file. */
  readonly file: string;
  /** Written by Keras 3, where some names mean other things than in Keras 2 and tf.layers. */
  readonly keras3: boolean;
  /** Class names of layers that the user registers with TensorFlow.js, with their weights in order. */
  readonly customLayers: Readonly<Record<string, readonly string[]>>;
  readonly limits: Limits;
  /** What was changed in a way that someone may want to know. */
  readonly notes: Set<string>;
  /** Layers seen so far. */
  layers: number;
}

/** What helps with any layer that tf.layers lacks: a graph model has every op of the layer instead. */
export const AS_GRAPH =
  "Or save it with model.export('folder') and convert it to a graph model: tensorflowjs_converter --input_format=tf_saved_model folder out.";

/** A layer or setting of one that tf.layers lacks, by name. */
export function refuse(layer: JsonObject, problem: string, advice: string): never {
  const { name } = (layer.config ?? {}) as JsonObject;
  throw new UnsupportedLayerError(
    `The layer '${typeof name === 'string' ? name : '?'}' (${String(layer.class_name)}) ${problem}. ${advice} ${AS_GRAPH}`,
  );
}
