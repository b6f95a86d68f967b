import * as tf from '@tensorflow/tfjs-core';

/** The same values of loss functions (regularizers), out of reach of gradients. */
export function constantLosses(losses: readonly (() => tf.Scalar)[]): (() => tf.Scalar)[] {
  // What runs inside an op is not recorded on the gradient tape, and this op has no inputs that a gradient could go to.
  return losses.map(
    (loss) => () => tf.customGrad(() => ({ value: loss(), gradFunc: () => [] }))() as tf.Scalar,
  );
}
