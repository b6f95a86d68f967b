// A backend that nobody vouches for refuses the gradient of a dilated convolution, whatever other backends do.
import '@rebatch/kernels-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

it('is refused on wasm while only the cpu backend has our kernels', async () => {
  const ops = [
    (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, tf.ones([2, 2, 2, 1]), 1, 'same', 'NHWC', 2),
    (x: tf.Tensor) => tf.depthwiseConv2d(x as tf.Tensor4D, tf.ones([2, 2, 2, 1]), 1, 'same', 'NHWC', 2),
    (x: tf.Tensor) =>
      tf.fused.conv2d({
        ...{ x: x as tf.Tensor4D, filter: tf.ones([2, 2, 2, 1]) as tf.Tensor4D },
        ...{ strides: 1, pad: 'same', dilations: 2 },
      }),
  ];
  for (const backend of ['cpu', 'wasm', 'cpu']) {
    await tf.setBackend(backend);
    for (const op of ops) {
      const gradient = () =>
        tf.tidy(() =>
          tf
            .grad(op)(tf.ones([1, 4, 4, 2]))
            .dataSync(),
        );
      if (backend === 'cpu') expect(gradient()).toHaveLength(32);
      else expect(gradient).toThrow(/dilation rates greater than 1/);
    }
  }
});
