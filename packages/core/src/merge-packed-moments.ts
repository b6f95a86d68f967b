import * as tf from '@tensorflow/tfjs-core';

/**
 * The moments of several pieces as one, by Chan, Golub & LeVeque 1983. Differentiable.
 *
 * @param packed [2, pieces, channels]: means, then biased variances.
 * @param weights [pieces, 1]: the share of each piece in all values; they add up to 1.
 * @returns [2, 1, channels]. The variance of pieces whose means lie d apart carries the rounding of those means, about
 *   1e-7 * d * |mean|.
 */
export function mergePackedMoments(packed: tf.Tensor3D, weights: tf.Tensor): tf.Tensor3D {
  return tf.tidy(() => {
    const [means, variances] = tf.unstack(packed) as [tf.Tensor, tf.Tensor];
    const weigh = (perPiece: tf.Tensor) => tf.sum(tf.mul(perPiece, weights), 0, true);
    // Around a first estimate, so that means far larger than what lies between them do not cancel.
    const estimate = weigh(means);
    const apart = tf.sub(means, estimate);
    const residual = weigh(apart);
    const between = tf.square(tf.sub(apart, residual));
    return tf.stack([tf.add(estimate, residual), weigh(tf.add(variances, between))]) as tf.Tensor3D;
  });
}
