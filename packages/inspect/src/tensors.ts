// Elements as users bring them: tensors in lists and objects, and whatever else they carry.
import { allOrNone } from '@rebatch/core/~internal';
import * as tf from '@tensorflow/tfjs-core';

/** The same structure with each of its tensors replaced; anything else in it stays. */
function mapTensors(value: unknown, change: (tensor: tf.Tensor) => tf.Tensor): unknown {
  if (value instanceof tf.Tensor) return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTensors(item, change)]));
}

/** All tensors of an element, each once. */
export function tensorsIn(value: unknown): tf.Tensor[] {
  const found = new Set<tf.Tensor>();
  mapTensors(value, (tensor) => {
    found.add(tensor);
    return tensor;
  });
  return [...found];
}

/** An element of its own to dispose; no data is copied. Disposed tensors stay, to be reported by who uses them. */
export function cloned(element: unknown): unknown {
  return allOrNone((add) =>
    mapTensors(element, (tensor) => (tensor.isDisposed ? tensor : add(tf.clone(tensor)))),
  );
}
