// Runs opened models as anyone would, with stock TensorFlow.js.

import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type OpenedModel, toIOHandler } from '../index.ts';

/** An input that the script which wrote the fixtures made as well: sin(0.37 i + 1), or i modulo 11 for tokens. */
export function inputOf(shape: readonly (number | null)[], dtype = 'float32'): tf.Tensor {
  const whole = shape.map((length, axis) => (axis === 0 ? 2 : length!));
  const size = whole.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: size }, (_, i) =>
    dtype === 'int32' ? i % 11 : Math.sin(0.37 * i + 1),
  );
  return tf.tensor(values, whole, dtype as 'float32');
}

/** What `tf.layers` predicts with a model for such inputs, output by output. */
export async function predict(model: OpenedModel): Promise<{ shape: number[]; values: number[] }[]> {
  const layers = await tfl.loadLayersModel(toIOHandler(model));
  const inputs = layers.inputs.map((input) => inputOf(input.shape, input.dtype));
  const outputs = layers.predict(inputs);
  const result = (Array.isArray(outputs) ? outputs : [outputs]).map((output) => {
    return { shape: output.shape, values: [...output.dataSync()] };
  });
  tf.dispose([inputs, outputs]);
  layers.dispose();
  return result;
}
