import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import './index.ts';

/** Bars that are horizontal or vertical, with noise: a convolution tells them apart, a mean does not. */
function bars(count: number, size: number) {
  const random = seededRandom(5);
  const images = random.normals(count * size * size, 0, 0.3);
  const labels = new Float32Array(count * 2);
  for (let n = 0; n < count; n++) {
    const label = random.integer(0, 1);
    const at = random.integer(0, size - 1);
    labels[n * 2 + label] = 1;
    for (let i = 0; i < size; i++) images[n * size * size + (label ? at * size + i : i * size + at)]! += 1;
  }
  return { xs: tf.tensor4d(images, [count, size, size, 1]), ys: tf.tensor2d(labels, [count, 2]) };
}

function network(size: number) {
  const seeded = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const model = tfl.sequential();
  model.add(
    tfl.layers.conv2d({
      inputShape: [size, size, 1],
      filters: 6,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: seeded(1),
    }),
  );
  model.add(tfl.layers.depthwiseConv2d({ kernelSize: 3, depthwiseInitializer: seeded(2) }));
  model.add(
    tfl.layers.conv2d({
      filters: 7,
      kernelSize: 3,
      strides: 2,
      activation: 'relu',
      kernelInitializer: seeded(3),
    }),
  );
  model.add(tfl.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: seeded(4) }));
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
  return model;
}

describe('model.fit on the WASM backend', () => {
  it('trains a convolutional network, and leaks nothing', async () => {
    await tf.setBackend('wasm');
    const { xs, ys } = bars(96, 12);
    const model = network(12);
    const fit = async (epochs: number) =>
      (await model.fit(xs, ys, { epochs, batchSize: 32, shuffle: false, verbose: 0 })).history
        .loss as number[];
    const first = (await fit(1))[0]!;
    const before = tf.memory().numTensors;
    const losses = await fit(25);
    expect(tf.memory().numTensors).toBe(before);
    expect(losses.at(-1)).toBeLessThan(first / 4);
    model.dispose();
    tf.dispose([xs, ys]);
  });

  it('takes the same steps as on the cpu backend', async () => {
    const weights: Float32Array[] = [];
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend);
      const { xs, ys } = bars(32, 10);
      const model = network(10);
      model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
      for (let i = 0; i < 3; i++) await model.trainOnBatch(xs, ys);
      weights.push(Float32Array.from(model.getWeights().flatMap((w) => [...w.dataSync()])));
      model.dispose();
      tf.dispose([xs, ys]);
    }
    expectClose(weights[0]!, weights[1]!, 1e-4, 'weights');
  });
});
