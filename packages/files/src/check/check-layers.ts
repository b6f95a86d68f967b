import { MalformedFileError } from '../errors.ts';
import { isObject, type Json, type JsonObject, kind, listAt, objectAt, stringAt } from '../json.ts';
import { type Limits, within } from '../limits.ts';
import { type CheckedLayer, checkCalls } from './check-calls.ts';
import { checkLayerSize } from './check-layer-size.ts';

interface Counting {
  readonly limits: Limits;
  /** The largest dimension of any weight. */
  readonly largest: number;
  layers: number;
}

/** Checks a topology of tf.layers: `{class_name, config}`, or that in `model_config`. */
export function checkLayers(topology: JsonObject, limits: Limits, largest: number): void {
  const model = topology.model_config ?? topology;
  if (!isObject(model))
    throw new MalformedFileError(`'model_config' should be an object, but is ${kind(model)}.`);
  checkModel(model, { limits, largest, layers: 0 });
}

const MODELS: ReadonlySet<string> = new Set(['Sequential', 'Functional', 'Model']);

function checkModel(model: JsonObject, counting: Counting): void {
  const className = stringAt(model, 'class_name', 'the model');
  const config = Array.isArray(model.config)
    ? { layers: model.config }
    : objectAt(model, 'config', 'the model');
  // A model of a class of someone's own: it reads its configuration itself.
  if (!MODELS.has(className)) return;
  const layers = listAt(config, 'layers', `the model '${className}'`);
  if (layers.length === 0) throw new MalformedFileError('The model has no layers.');
  const names = new Set<string>();
  const checked = layers.map((layer) => checkLayer(layer, names, counting));
  if (className !== 'Sequential') checkCalls(config, checked);
}

function checkLayer(layer: Json, names: Set<string>, counting: Counting): CheckedLayer {
  if (!isObject(layer)) throw new MalformedFileError(`A layer should be an object, but is ${kind(layer)}.`);
  within(counting.limits, 'maxNodes', ++counting.layers, 'The number of layers');
  const className = stringAt(layer, 'class_name', 'a layer');
  const isModel = MODELS.has(className);
  if (isModel) checkModel(layer, counting);
  const config = isObject(layer.config) ? layer.config : undefined;
  if (!config && !isModel) {
    throw new MalformedFileError(
      `'config' of a layer '${className}' should be an object, but is ${kind(layer.config)}.`,
    );
  }
  const name = layer.name ?? config?.name;
  // Sequential models may leave names to tf.layers.
  if (name !== undefined && name !== null && typeof name !== 'string') {
    throw new MalformedFileError(
      `The name of a layer '${className}' should be a string, but is ${kind(name)}.`,
    );
  }
  const known = typeof name === 'string' ? name : '';
  if (known !== '') {
    if (names.has(known)) throw new MalformedFileError(`Two layers are called '${known}'.`);
    names.add(known);
  }
  if (config && !isModel) {
    checkLayerSize(known, className, config, counting.limits, counting.largest);
    for (const key of ['layer', 'cell', 'backward_layer']) {
      if (isObject(config[key])) checkLayer(config[key], new Set(), counting);
    }
    if (Array.isArray(config.cells)) for (const cell of config.cells) checkLayer(cell, new Set(), counting);
  }
  return { name: known, json: layer, isModel };
}
