import { MalformedFileError } from '../errors.ts';
import { isObject, type Json, type JsonObject, kind, objectAt, stringAt } from '../json.ts';
import { within } from '../limits.ts';
import { type Context, refuse } from './context.ts';
import { INSTEAD, LAYERS, type LayerKind } from './layer-table.ts';
import { type Child, groupNames, type LayerTree } from './layer-tree.ts';
import { isModel, rewriteModel } from './rewrite-model.ts';
import {
  rewriteActivation,
  rewriteConstraint,
  rewriteDtype,
  rewriteInitializer,
  rewriteRegularizer,
} from './values.ts';

/** A layer of a Keras configuration, as tf.layers reads it. Throws `UnsupportedLayerError` for one that it lacks. */
export function rewriteLayer(value: Json | undefined, context: Context): LayerTree {
  if (!isObject(value)) {
    throw new MalformedFileError(`A layer of ${context.file} should be an object, but is ${kind(value)}.`);
  }
  context.layers++;
  within(context.limits, 'maxNodes', context.layers, `The number of layers of ${context.file}`);
  if (isModel(value)) return rewriteModel(value, context, rewriteLayer);
  const kerasClass = stringAt(value, 'class_name', `a layer of ${context.file}`);
  const config = objectAt(value, 'config', `a layer '${kerasClass}' of ${context.file}`);
  const name = typeof config.name === 'string' ? config.name : '';
  // A copy: what is read once may be rewritten by several readers.
  const json: JsonObject = { class_name: kerasClass, config: { ...config } };
  const found = wrapperOf(json, context) ?? layerOf(json, value, context);
  rewriteConfig(json, context);
  return { json, kerasClass, name, trainable: config.trainable !== false, ...found };
}

type Weights = Pick<LayerTree, 'trained' | 'followed' | 'group' | 'children'>;
const NONE: Weights = { trained: [], followed: [], group: '', children: [] };

/** A layer by itself. */
function layerOf(json: JsonObject, original: JsonObject, context: Context): Weights {
  const className = json.class_name as string;
  const config = json.config as JsonObject;
  const own = Object.hasOwn(context.customLayers, className) ? context.customLayers[className] : undefined;
  if (own) return { ...NONE, trained: own };
  const kind: LayerKind | undefined = LAYERS.get(className);
  const operation = typeof original.module === 'string' && /\bops\b/.test(original.module);
  const custom = typeof original.registered_name === 'string' && original.registered_name.includes('>');
  if (!kind || custom || (operation && !MERGES.has(className))) {
    const problem = operation
      ? 'is an operation on Keras tensors, for which tf.layers has no layer'
      : 'is not in tf.layers';
    const advice = custom
      ? 'Register your layer with TensorFlow.js, and name it and its weights in customLayers.'
      : (INSTEAD[className] ?? 'Put layers in its place that tf.layers has.');
    refuse(json, problem, advice);
  }
  kind.rewrite?.(json, config, context);
  const { trained = [], followed = [] } = kind.weights?.(config) ?? {};
  return { ...NONE, trained, followed, group: kind.group ?? '' };
}

/** Operations between two tensors that are layers of the same name, and do the same. */
const MERGES: ReadonlySet<string> = new Set(['Add', 'Multiply', 'Maximum', 'Minimum']);

/** A layer that has others in it; undefined when it has none. */
function wrapperOf(json: JsonObject, context: Context): Weights | undefined {
  const config = json.config as JsonObject;
  switch (json.class_name) {
    case 'TimeDistributed': {
      const layer = rewriteLayer(config.layer, context);
      config.layer = layer.json;
      return { ...NONE, children: [{ layer, group: 'layer', scope: (parent) => parent }] };
    }
    case 'Bidirectional':
      return bidirectional(json, config, context);
    case 'RNN': {
      const layer = rewriteLayer(config.cell, context);
      config.cell = layer.json;
      return { ...NONE, children: [{ layer, group: 'cell', scope: (parent) => parent }] };
    }
    case 'StackedRNNCells': {
      if (!Array.isArray(config.cells)) return undefined;
      const cells = config.cells.map((cell) => rewriteLayer(cell, context));
      config.cells = cells.map((cell) => cell.json);
      const groups = groupNames(cells.map((cell) => cell.kerasClass));
      const children = cells.map((layer, at): Child => {
        return { layer, group: `cells/${groups[at]}`, scope: (parent) => `${parent}/RNNCell_${at}` };
      });
      return { ...NONE, children };
    }
    default:
      return undefined;
  }
}

/** tf.layers makes the backward layer of the forward one; Keras may have been given another. */
function bidirectional(json: JsonObject, config: JsonObject, context: Context): Weights {
  const forward = rewriteLayer(config.layer, context);
  const inner = forward.json.config as JsonObject;
  if (isObject(config.backward_layer)) {
    const backward = rewriteLayer(config.backward_layer, context).json;
    const comparable = ({ class_name, config: given }: JsonObject) =>
      JSON.stringify([class_name!, { ...(given as JsonObject), name: '', go_backwards: false }]);
    if (comparable(backward) !== comparable(forward.json)) {
      refuse(json, 'has a backward layer unlike its forward layer', 'Use two layers and Concatenate.');
    }
    delete config.backward_layer;
  }
  // Keras 3 saves the name that the layer got in here, and tf.layers would give it that name once more.
  const name = String(inner.name ?? '').replace(/^forward_/, '');
  inner.name = name;
  config.layer = forward.json;
  const child = (direction: string): Child => ({
    layer: forward,
    group: `${direction}_layer`,
    scope: (parent) => `${parent}/${direction}_${name}`,
  });
  return { ...NONE, children: [child('forward'), child('backward')] };
}

/** What all layers have in common. */
function rewriteConfig(json: JsonObject, context: Context): void {
  const config = json.config as JsonObject;
  config.dtype = rewriteDtype(config.dtype, context);
  if (config.batch_shape !== undefined) {
    config.batch_input_shape = config.batch_shape;
    delete config.batch_shape;
  }
  if (isObject(config.quantization_config)) {
    refuse(json, 'is quantized', 'Save the model before quantizing it.');
  }
  if (config.activity_regularizer !== undefined && config.activity_regularizer !== null) {
    context.notes.add(
      `'${String(config.name)}' had an activity regularizer, which tf.layers lacks and only training needs.`,
    );
    delete config.activity_regularizer;
  }
  if (config.shared_object_id !== undefined) delete config.shared_object_id;
  for (const key of Object.keys(config)) {
    if (key === 'activation' || key === 'recurrent_activation') rewriteActivation(json, config, key, context);
    else if (key.endsWith('_initializer')) rewriteInitializer(config, key, context);
    else if (key.endsWith('_regularizer')) rewriteRegularizer(json, config, key);
    else if (key.endsWith('_constraint')) rewriteConstraint(json, config, key);
  }
}
