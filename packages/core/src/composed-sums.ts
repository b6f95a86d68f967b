// Sums over an axis for the composed ops, which never add many values in a row.
import * as tf from '@tensorflow/tfjs-core';

// Adding equal values to a far larger one, such as the square of an outlier, rounds the same way every time: in runs of
// 32 that costs 2e-6. Runs of 8 take the same time.
export const RUN = 8;

/** Sums out one axis, never adding more than RUN values in a row. */
export function sumAxis(values: tf.Tensor, axis: number): tf.Tensor {
  let rest = values;
  while (rest.shape[axis]! > RUN) rest = tf.sum(inRuns(rest, axis), axis + 1);
  return tf.sum(rest, axis);
}

/** Splits an axis into runs of RUN; the last one is filled up with zeros. */
export function inRuns(values: tf.Tensor, axis: number): tf.Tensor {
  const length = values.shape[axis]!;
  const runs = Math.ceil(length / RUN);
  const padding = values.shape.map((_, i): [number, number] =>
    i === axis ? [0, runs * RUN - length] : [0, 0],
  );
  const padded = runs * RUN === length ? values : tf.pad(values, padding);
  return tf.reshape(padded, [...values.shape.slice(0, axis), runs, RUN, ...values.shape.slice(axis + 1)]);
}
