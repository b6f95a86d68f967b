// Small models and batches for the tests, and one process that trains on whole batches as their reference.
import { convertToSync } from '@rebatch/leakage';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { TrainingBatch } from '../index.ts';

/** A convolutional network with stock batch normalization, the same weights on each call. */
export function buildCnn(): tfl.LayersModel {
  const kernelInitializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        filters: 4,
        kernelSize: 3,
        useBias: false,
        kernelInitializer: kernelInitializer(1),
        inputShape: [6, 6, 2],
      }),
      tfl.layers.batchNormalization({ momentum: 0.9 }),
      tfl.layers.reLU(),
      tfl.layers.conv2d({
        filters: 5,
        kernelSize: 2,
        useBias: false,
        kernelInitializer: kernelInitializer(2),
      }),
      tfl.layers.batchNormalization({ momentum: 0.8 }),
      tfl.layers.reLU(),
      tfl.layers.flatten(),
      tfl.layers.dense({
        units: 3,
        activation: 'softmax',
        kernelInitializer: kernelInitializer(3),
        kernelRegularizer: tfl.regularizers.l2({ l2: 0.01 }),
      }),
    ],
  });
}

/** A dense network for a vector of 3, with stock batch normalization. */
export function buildDense(): tfl.LayersModel {
  const kernelInitializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
  return tfl.sequential({
    layers: [
      tfl.layers.dense({
        units: 6,
        useBias: false,
        kernelInitializer: kernelInitializer(4),
        inputShape: [3],
      }),
      tfl.layers.batchNormalization({ momentum: 0.9 }),
      tfl.layers.reLU(),
      tfl.layers.dense({ units: 2, kernelInitializer: kernelInitializer(5) }),
    ],
  });
}

/** Batches of images and classes for the convolutional network. */
export function imageBatches(sizes: readonly number[], seed = 1): TrainingBatch[] {
  const random = seededRandom(seed);
  return sizes.map((size) => ({
    xs: tf.tensor(random.normals(size * 72, 1, 2), [size, 6, 6, 2]),
    ys: tf.tidy(() => {
      const classes = Int32Array.from({ length: size }, () => random.integer(0, 2));
      return tf.cast(tf.oneHot(classes, 3), 'float32');
    }),
  }));
}

/** Batches of vectors for the dense network. */
export function vectorBatches(sizes: readonly number[], seed = 2): TrainingBatch[] {
  const random = seededRandom(seed);
  return sizes.map((size) => ({
    xs: tf.tensor(random.normals(size * 3, 1, 2), [size, 3]),
    ys: tf.tensor(random.normals(size * 2), [size, 2]),
  }));
}

/** Trains a stock model on whole batches in this thread, and returns its weights after each of them. */
export async function trainHere(
  model: tfl.LayersModel,
  batches: Iterable<TrainingBatch>,
): Promise<Float32Array[][]> {
  const after = [weightsOf(model)];
  for (const { xs, ys } of batches) {
    await model.trainOnBatch(xs as tf.Tensor, ys as tf.Tensor);
    after.push(weightsOf(model));
  }
  return after;
}

export function synchronized(model: tfl.LayersModel, args: tfl.ModelCompileArgs): tfl.LayersModel {
  convertToSync(model).compile(args);
  return model;
}

export function weightsOf(model: tfl.LayersModel): Float32Array[] {
  return model.weights.map((weight) => weight.read().dataSync<'float32'>().slice());
}
