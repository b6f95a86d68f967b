import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { type Json, type JsonObject, listAt, objectAt, stringAt } from '../json.ts';
import type { Context } from './context.ts';
import { rewriteInboundNodes, rewriteTensors } from './inbound-nodes.ts';
import { type Child, groupNames, type LayerTree } from './layer-tree.ts';

/** Rewrites one layer of a model: given, since layers may contain models again. */
type RewriteLayer = (value: Json | undefined, context: Context) => LayerTree;

const MODELS: ReadonlySet<string> = new Set(['Sequential', 'Functional', 'Model']);

/** Whether a configuration is that of a model: a list of layers, or a graph of them. */
export function isModel(value: JsonObject): boolean {
  return MODELS.has(String(value.class_name));
}

/** A model of a Keras configuration as tf.layers reads it, with all models in it. */
export function rewriteModel(value: JsonObject, context: Context, rewriteLayer: RewriteLayer): LayerTree {
  const kerasClass = stringAt(value, 'class_name', `the model of ${context.file}`);
  if (!isModel(value)) {
    throw new UnsupportedFileError(
      `${context.file} holds a model of the class ${kerasClass}, whose forward is Python code. Build it as a functional or sequential model, or save it with model.export('folder') and convert it to a graph model: tensorflowjs_converter --input_format=tf_saved_model folder out.`,
    );
  }
  // Before 2.2.3, Keras wrote a sequential model as its list of layers alone.
  const config: JsonObject = Array.isArray(value.config)
    ? { name: 'sequential', layers: value.config }
    : objectAt(value, 'config', `the model of ${context.file}`);
  const name = typeof config.name === 'string' ? config.name : kerasClass.toLowerCase();
  const given = listAt(config, 'layers', `the model '${name}' of ${context.file}`);
  const layers = given.map((layer) => rewriteLayer(layer, context));
  const groups = groupNames(layers.map((layer) => layer.kerasClass));
  const children = layers.map((layer, at): Child => {
    return { layer, group: `layers/${groups[at]}`, scope: () => layer.name };
  });
  const rewritten =
    kerasClass === 'Sequential' ? sequential(config, layers) : functional(config, given, layers, context);
  return {
    json: {
      class_name: kerasClass === 'Sequential' ? 'Sequential' : 'Functional',
      config: { name, ...rewritten },
    },
    kerasClass: kerasClass === 'Model' ? 'Functional' : kerasClass,
    name,
    trainable: config.trainable !== false,
    trained: [],
    followed: [],
    group: '',
    children,
  };
}

function sequential(config: JsonObject, layers: readonly LayerTree[]): JsonObject {
  const first = layers[0]?.json;
  const shape = config.build_input_shape;
  // Built by what it was first applied to, which tf.layers wants to read on the first layer.
  if (first && Array.isArray(shape) && first.class_name !== 'InputLayer') {
    const settings = first.config as JsonObject;
    const knows = settings.batch_input_shape !== undefined || isModel(first);
    if (!knows) settings.batch_input_shape = shape;
  }
  return { layers: layers.map((layer) => layer.json) };
}

function functional(
  config: JsonObject,
  given: readonly Json[],
  layers: readonly LayerTree[],
  context: Context,
): JsonObject {
  const what = `the model '${String(config.name)}' of ${context.file}`;
  const entries = given.map((layer, at): JsonObject => {
    const original = layer as JsonObject;
    const { json, name } = layers[at]!;
    const nodes = original.inbound_nodes ?? [];
    if (!Array.isArray(nodes)) {
      throw new MalformedFileError(
        `'inbound_nodes' of the layer '${name}' of ${context.file} should be a list.`,
      );
    }
    const calls = nodes.map((node) => rewriteInboundNodes(node, json, context));
    return { ...json, name: typeof original.name === 'string' ? original.name : name, inbound_nodes: calls };
  });
  const inputs = rewriteTensors(config.input_layers, what);
  const outputs = rewriteTensors(config.output_layers, what);
  countNestedCalls(entries, outputs, context);
  return { layers: entries, input_layers: inputs, output_layers: outputs };
}

/**
 * A model in a model has one call more in tf.layers than was made of it: the first is its own. Keras 2 counts like that
 * for models that knew their inputs, Keras 3 only where a functional one is an output.
 */
function countNestedCalls(entries: readonly JsonObject[], outputs: readonly Json[], context: Context): void {
  const nested = new Map(entries.filter(isModel).map((entry) => [entry.name as string, entry.class_name]));
  if (nested.size === 0) return;
  const calls = entries.flatMap((entry) => entry.inbound_nodes as Json[]).flatMap((call) => call as Json[]);
  for (const [name, className] of nested) {
    const to = (reference: Json): reference is Json[] => Array.isArray(reference) && reference[0] === name;
    const inner = calls.filter(to);
    const outer = outputs.filter(to);
    const fromZero = [...inner, ...outer].some((reference) => reference[1] === 0);
    const shift = (reference: Json[]) => {
      if (typeof reference[1] === 'number') reference[1]++;
    };
    if (context.keras3 || fromZero) inner.forEach(shift);
    if (context.keras3 ? className === 'Sequential' : fromZero) outer.forEach(shift);
  }
}
