// The losses of a one-stage detector, from ops that have kernels and gradients on the WASM backend.

import * as tf from '@tensorflow/tfjs-core';

/** Weight of the targets that are 1. */
const ALPHA = 0.25;
/** Where the loss of a box code turns from square to linear. */
const DELTA = 0.11;

/**
 * Focal loss (Lin et al. 2017), summed: -alpha (1 - p)^2 log p where the target is 1, -(1 - alpha) p^2 log(1 - p) where
 * it is 0, with p = sigmoid(logit) and alpha 0.25. From the logits, so that no probability rounds to 0 or 1.
 *
 * @param targets 0 or 1, in the shape of the logits.
 */
export function focalLoss(logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    // Of the wrong answer: its probability is what is left to learn, and softplus is -log of the right one's.
    const wrong = tf.mul(logits, tf.sub(1, tf.mul(targets, 2)));
    const weight = tf.add(1 - ALPHA, tf.mul(targets, 2 * ALPHA - 1));
    return tf.sum(tf.mul(tf.mul(weight, tf.square(tf.sigmoid(wrong))), tf.softplus(wrong))) as tf.Scalar;
  });
}

/**
 * Smooth L1 loss (Girshick 2015), summed over the anchors that have a digit: d^2 / (2 delta) where the distance d is below
 * delta, d - delta / 2 elsewhere, with delta 0.11.
 *
 * @param codes predicted, [..., 4], as `targets`.
 * @param positive [...], 1 where there is a digit, else 0.
 */
export function boxLoss(codes: tf.Tensor, targets: tf.Tensor, positive: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const distance = tf.abs(tf.sub(codes, targets));
    const near = tf.minimum(distance, DELTA);
    // Both branches at once: beyond delta, near is delta, and what is left of the distance counts linearly.
    const each = tf.add(tf.div(tf.square(near), 2 * DELTA), tf.sub(distance, near));
    return tf.sum(tf.mul(each, tf.expandDims(positive, -1))) as tf.Scalar;
  });
}
