// The calls of a layer: which tensors it was given. Keras 2 and tf.layers list `[layer, call, output, settings]`; Keras 3
// writes the arguments of the call, with `{class_name: '__keras_tensor__', config: {keras_history: [...]}}` for tensors.

import { MalformedFileError } from '../errors.ts';
import { isObject, type Json, type JsonObject, kind } from '../json.ts';
import { type Context, refuse } from './context.ts';

/** One call as tf.layers reads it. */
export function rewriteInboundNodes(node: Json, layer: JsonObject, context: Context): Json[] {
  if (Array.isArray(node)) return node.map((reference) => checkReference(reference, context));
  if (!isObject(node)) {
    throw new MalformedFileError(
      `A call of a layer of ${context.file} should be an object, but is ${kind(node)}.`,
    );
  }
  const args = Array.isArray(node.args) ? node.args : [];
  const settings: JsonObject = {};
  const tensors = tensorsOf(args, layer, context);
  for (const [key, value] of Object.entries(isObject(node.kwargs) ? node.kwargs : {})) {
    if (value === null) continue;
    // tf.layers takes the states of a recurrent layer behind its input.
    if (key === 'initial_state') tensors.push(...tensorsOf([value], layer, context));
    else if (key === 'inputs' || key === 'sequences') tensors.push(...tensorsOf([value], layer, context));
    else if (hasTensor(value)) {
      refuse(layer, `is given a tensor as '${key}', which tf.layers does not take`, 'Leave it out.');
    } else settings[key] = value;
  }
  if (tensors.length === 0) refuse(layer, 'is applied to no tensor', 'Apply it to an input.');
  return tensors.map((tensor) => [...tensor, settings]);
}

/** The tensors among arguments, lists of tensors included. Anything else is a constant, for which tf.layers has no place. */
function tensorsOf(args: readonly Json[], layer: JsonObject, context: Context): Json[][] {
  return args.flatMap((arg) => {
    if (Array.isArray(arg)) return tensorsOf(arg, layer, context);
    const history = isTensor(arg) ? (arg.config as JsonObject | undefined)?.keras_history : undefined;
    if (history === undefined) {
      if (arg === null) return [];
      refuse(layer, `is given ${kind(arg)} besides tensors`, 'Make it a setting of the layer.');
    }
    return [checkReference(history, context).slice(0, 3)];
  });
}

function isTensor(value: Json): value is JsonObject {
  return isObject(value) && value.class_name === '__keras_tensor__';
}

function hasTensor(value: Json): boolean {
  if (isTensor(value)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasTensor);
}

function checkReference(value: Json, context: Context): Json[] {
  const good =
    Array.isArray(value) &&
    value.length >= 3 &&
    typeof value[0] === 'string' &&
    [value[1], value[2]].every((at) => Number.isInteger(at) && (at as number) >= 0);
  if (good) return [...value];
  throw new MalformedFileError(
    `A call of a layer of ${context.file} should name a tensor as [layer, call, output], but has ${JSON.stringify(value)?.slice(0, 80)}.`,
  );
}

/** The inputs or outputs of a model: Keras 3 writes a single one without the list around it, and named ones as an object. */
export function rewriteTensors(value: Json | undefined, what: string): Json[][] {
  if (Array.isArray(value) && typeof value[0] === 'string') return [[...value]];
  if (Array.isArray(value)) return value.flatMap((item) => rewriteTensors(item, what));
  if (isObject(value)) return Object.values(value).flatMap((item) => rewriteTensors(item, what));
  throw new MalformedFileError(`The inputs or outputs of ${what} should be a list, but are ${kind(value)}.`);
}
