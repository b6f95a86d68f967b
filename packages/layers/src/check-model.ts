// What people hand in for a model, and what to tell them where it is none.
import type * as tfl from '@tensorflow/tfjs-layers';
import { NotAModelError } from './errors.ts';
import { refuseForeign } from './two-copies.ts';

/** Whether a value is a layer or model of tf.layers, of whatever copy of it: a model is a layer, too. */
export function isLayer(value: unknown): value is tfl.layers.Layer {
  const { getClassName, apply, call } = (value ?? {}) as Partial<Record<string, unknown>>;
  return [getClassName, apply, call].every((member) => typeof member === 'function');
}

/**
 * @throws {NotAModelError} unless the value is a layer or model of tf.layers. {ForeignLayerError} if it is one of another
 *   copy of tfjs-layers.
 */
export function checkLayer(caller: string, value: unknown): asserts value is tfl.layers.Layer {
  if (isLayer(value)) return refuseForeign(caller, value);
  throw new NotAModelError(
    `${caller}: expected a model or layer of tf.layers, got ${describeNoModel(value)}`,
  );
}

/** What a value is that is no model, and what to do: the end of a sentence, and the next one. */
export function describeNoModel(value: unknown): string {
  if (value === undefined || value === null) {
    return `${value}. Pass the model itself; tf.loadLayersModel gives it after await.`;
  }
  if (typeof value === 'string' || value instanceof URL) {
    return `the address '${shorten(String(value))}'. Load it first: await tf.loadLayersModel(address).`;
  }
  if (typeof value !== 'object' && typeof value !== 'function') {
    return `${shorten(String(value))}. Pass the model itself.`;
  }
  const { then, model, executor, executeAsync } = value as Partial<Record<string, unknown>>;
  if (typeof then === 'function') return 'a promise. Wait for the model first: await it.';
  if (executor !== undefined || typeof executeAsync === 'function') {
    return (
      'a GraphModel (a converted graph, which has no layers). Tools that take any model take it wrapped: ' +
      'graphModel(model) of @rebatch/graph-models.'
    );
  }
  if (isLayer(model)) return "an object whose member 'model' is one. Pass that.";
  if (Array.isArray(value)) return `an array of ${value.length} items. Pass one model.`;
  const name = (value as object).constructor?.name;
  const kind =
    typeof value === 'function' ? 'a function' : name && name !== 'Object' ? `a ${name}` : 'an object';
  return `${kind} that is none. Pass the model itself.`;
}

const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
