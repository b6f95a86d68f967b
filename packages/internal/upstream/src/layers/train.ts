// One step of training of a small model around a layer, on whatever backend is current.
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { LayerCase } from './layer-cases.ts';

type Symbol = tfl.SymbolicTensor;

const BATCH = 4;
const CLASSES = 3;

/** The layer between a dense one, to which its gradient goes, and a classifier. */
export function modelAround({ shape, build, takes }: LayerCase): tfl.LayersModel {
  const inputs = tfl.input({ shape: [...shape] });
  const first =
    takes !== undefined ? inputs : (tfl.layers.dense({ units: shape.at(-1)! }).apply(inputs) as Symbol);
  const made = build(first);
  const flat = made.shape.length > 2 ? (tfl.layers.flatten().apply(made) as Symbol) : made;
  const outputs = tfl.layers.dense({ units: CLASSES, activation: 'softmax' }).apply(flat) as Symbol;
  const model = tfl.model({ inputs, outputs });
  const random = seededRandom(7);
  model.setWeights(
    model.getWeights().map((weight) => {
      // Variances, too, are to be positive.
      const values = random.normals(weight.size, 0.4, 0.3).map(Math.abs);
      return tf.tensor(
        values.map((value, i) => (i % 3 === 1 && weight.rank > 1 ? -value : value)),
        weight.shape,
      );
    }),
  );
  return model;
}

/** The weights after one step, all in a row. */
export async function weightsAfterStep(
  layer: LayerCase,
  loss: string,
  optimizer: tf.Optimizer,
): Promise<Float32Array> {
  const model = modelAround(layer);
  model.compile({ loss, optimizer });
  const random = seededRandom(3);
  const size = layer.shape.reduce((a, b) => a * b, BATCH);
  const numbers =
    layer.takes === 'indices' ? Array.from({ length: size }, (_, i) => i % 5) : [...random.normals(size)];
  const xs = tf.tensor(numbers, [BATCH, ...layer.shape]);
  const labels = tf.tensor1d([0, 1, 2, 1], 'int32');
  // Floats: losses that clip labels by a small number clip whole ones by 0.
  const ys =
    loss === 'sparseCategoricalCrossentropy'
      ? tf.tidy(() => tf.cast(labels, 'float32'))
      : tf.tidy(() => tf.oneHot(labels, CLASSES, 1, 0, 'float32'));
  try {
    await model.trainOnBatch(xs, ys);
    return Float32Array.from(model.getWeights().flatMap((weight) => [...weight.dataSync()]));
  } finally {
    tf.dispose([xs, labels, ys]);
    model.dispose();
    optimizer.dispose();
  }
}
