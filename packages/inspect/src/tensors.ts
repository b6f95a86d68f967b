/** Batches as users bring them, tensors in arrays and objects, handled as a whole. */
import * as tf from '@tensorflow/tfjs-core';

/** The same structure with each of its tensors replaced; anything else in it stays. */
export function mapTensors(value: unknown, change: (tensor: tf.Tensor) => tf.Tensor): unknown {
  if (value instanceof tf.Tensor) return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, change));
  if (typeof value !== 'object' || value === null) return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTensors(item, change)]));
}

/** All tensors of a batch, in the order of `mapTensors`. */
export function tensorsIn(value: unknown): tf.Tensor[] {
  const found: tf.Tensor[] = [];
  mapTensors(value, (tensor) => {
    found.push(tensor);
    return tensor;
  });
  return found;
}

/** A batch of its own to dispose; no data is copied. Disposed tensors stay, to be reported by who uses them. */
export function cloned(batch: unknown): unknown {
  return mapTensors(batch, (tensor) => (tensor.isDisposed ? tensor : tf.clone(tensor)));
}

export function disposeBatch(batch: unknown): void {
  tf.dispose(tensorsIn(batch));
}

/** How many samples a batch has, or undefined if it is not one: no tensors, disposed ones, or of different sizes. */
export function samplesIn(batch: unknown): number | undefined {
  const tensors = tensorsIn(batch);
  if (tensors.length === 0 || tensors.some(({ isDisposed, rank }) => isDisposed || rank === 0))
    return undefined;
  const samples = tensors[0]!.shape[0]!;
  return samples > 0 && tensors.every(({ shape }) => shape[0] === samples) ? samples : undefined;
}

/** Bytes that a batch's tensors take. */
export function bytesIn(batch: unknown): number {
  return tensorsIn(batch).reduce((sum, { size }) => sum + 4 * size, 0);
}
