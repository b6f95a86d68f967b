// A whole model on these kernels against the same one on upstream's.
import { batchNormalize } from '@rebatch/core';
import { KERNELS } from '@rebatch/core/kernels';
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { upstreamKernels } from './upstream.test.support.ts';

function network() {
  const seeded = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const model = tfl.sequential();
  model.add(
    tfl.layers.conv2d({
      inputShape: [10, 10, 1],
      filters: 6,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: seeded(1),
    }),
  );
  model.add(tfl.layers.depthwiseConv2d({ kernelSize: 3, depthwiseInitializer: seeded(2) }));
  model.add(tfl.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tfl.layers.conv2d({ filters: 7, kernelSize: 3, strides: 2, kernelInitializer: seeded(3) }));
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: seeded(4) }));
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  return model;
}

/** Puts kernels into the registry, in the place of those of their names. */
function register(kernels: readonly tf.KernelConfig[]): void {
  for (const kernel of kernels) {
    tf.unregisterKernel(kernel.kernelName, 'cpu');
    tf.registerKernel(kernel);
  }
}

async function weightsAfterTraining(): Promise<Float32Array> {
  const xs = tf.tensor(seededRandom(5).normals(3200), [32, 10, 10, 1]);
  const labels = Array.from({ length: 32 }, (_, i) => i % 2);
  const ys = tf.oneHot(labels, 2);
  const model = network();
  for (let i = 0; i < 3; i++) await model.trainOnBatch(xs, ys);
  const weights = Float32Array.from(model.getWeights().flatMap((weight) => [...weight.dataSync()]));
  model.dispose();
  tf.dispose([xs, ys]);
  return weights;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('training on the cpu backend', () => {
  it("takes the same steps as on upstream's kernels", async () => {
    const ours = await weightsAfterTraining();
    const own = tf.getKernelsForBackend('cpu');
    register(upstreamKernels);
    const expected = await weightsAfterTraining().finally(() => register(own));
    expectClose(ours, expected, 1e-5, 'weights');
  });

  it('runs each batch-norm kernel once, and nothing else that is as large as x', async () => {
    // Reshape and Identity share memory; the last is a custom gradient as a whole, what it runs has entries of its own.
    const free = ['Identity', 'Reshape', 'unnamed scope'];
    const x = tf.tensor(seededRandom(17).normals(360), [6, 5, 4, 3]);
    const [gamma, beta, dy] = [tf.ones([3]), tf.zeros([3]), tf.ones([6, 5, 4, 3])];
    const { kernels } = await tf.profile(() => {
      const op = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
        batchNormalize(x, { gamma, beta, groups: 2 }).y;
      tf.dispose(tf.valueAndGrads(op)([x, gamma, beta], dy));
    });
    const large = kernels.filter(({ inputShapes, outputShapes }) =>
      [...inputShapes, ...outputShapes].some((shape) => shape?.reduce((a, b) => a * b, 1) === 360),
    );
    expect(large.map(({ name }) => name).filter((name) => !free.includes(name))).toEqual([
      KERNELS.moments,
      KERNELS.normalize,
      KERNELS.backwardReduce,
      KERNELS.backwardInput,
    ]);
    tf.dispose([x, gamma, beta, dy]);
  });
});
