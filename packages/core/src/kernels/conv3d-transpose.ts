// The gradient of conv3dTranspose, which TensorFlow.js lacks: it computes that op as the gradient of conv3d for its input,
// and has no gradient of that.
import * as tf from '@tensorflow/tfjs-core';

const TRANSPOSED = 'Conv3DBackpropInputV2';

interface Attributes {
  readonly strides: number | [number, number, number];
  readonly pad: 'valid' | 'same';
}

/**
 * Registers it, unless there is one. It is linear in dy and in the filter: transposed once more it is conv3d itself. On
 * every backend it is as right as conv3d and its gradient for the filter are there.
 */
export function differentiateConv3dTranspose(): void {
  if (tf.getGradient(TRANSPOSED) !== undefined) return;
  tf.registerGradient({
    kernelName: TRANSPOSED,
    inputsToSave: ['dy', 'filter'],
    gradFunc: (upstream, [dy, filter], attributes) => {
      const { strides, pad } = attributes as unknown as Attributes;
      const x = upstream as tf.Tensor5D;
      return {
        dy: () => tf.conv3d(x, filter as tf.Tensor5D, strides, pad),
        filter: () =>
          tf
            .engine()
            .runKernel(
              'Conv3DBackpropFilterV2',
              { x, dy: dy! },
              { strides, pad, filterShape: filter!.shape },
            ),
      };
    },
  });
}
