import * as tf from '@tensorflow/tfjs-core';

/**
 * The output for an empty part of a normalization batch. There is nothing to compute, but the others wait for this
 * replica in their backward passes, too.
 *
 * @param x of size 0; so is the output.
 * @param sumOverParts called with zeros, float32 [2, channels], in the backward pass.
 */
export function nothingOfWhole(
  x: tf.Tensor,
  { gamma, beta }: { readonly gamma?: tf.Tensor | undefined; readonly beta?: tf.Tensor | undefined },
  channels: number,
  sumOverParts: (own: tf.Tensor2D) => tf.Tensor,
): tf.Tensor {
  const inputs = [x, gamma, beta].filter((input): input is tf.Tensor => input !== undefined);
  const { shape } = x;
  const shapes = inputs.map((input) => input.shape);
  return tf.customGrad(() => ({
    value: tf.zeros(shape),
    gradFunc: () => {
      sumOverParts(tf.zeros([2, channels]));
      return shapes.map((shape) => tf.zeros(shape));
    },
  }))(...inputs);
}
