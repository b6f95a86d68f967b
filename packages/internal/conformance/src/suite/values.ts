// What the parts of the suite share: random values with their places, and an op run forward and backward.
import { viewChannels } from '@rebatch/core/~internal';
import type { SeededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';

export interface Values {
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly channels: number;
  /** The channel and the sample of each value. */
  readonly channelOf: readonly number[];
  readonly sampleOf: readonly number[];
}

export function valuesOf(random: SeededRandom, shape: readonly number[], axis: number): Values {
  const { channels, inner } = viewChannels(shape, { axis });
  const size = shape.reduce((a, b) => a * b, 1);
  const perSample = size / shape[0]!;
  const indices = Array.from({ length: size }, (_, i) => i);
  return {
    x: random.normals(size, random.normal() * 3, 2),
    dy: random.normals(size),
    channels,
    channelOf: indices.map((i) => Math.floor(i / inner) % channels),
    sampleOf: indices.map((i) => Math.floor(i / perSample)),
  };
}

/** The outputs of `op` and the gradients of sum(dy * output) for its inputs, read from the device. */
export async function run(
  op: (inputs: tf.Tensor[]) => tf.Tensor[],
  inputs: readonly tf.Tensor[],
  dys: readonly Float32Array[],
): Promise<{ outputs: Float32Array[]; gradients: Float32Array[] }> {
  const outputs = tf.tidy(() => op([...inputs]));
  const gradients = tf.grads((...all: tf.Tensor[]) =>
    tf.addN(op(all).map((y, at) => tf.sum(tf.mul(y, tf.tensor(dys[at]!, y.shape))))),
  )([...inputs]);
  const read = (tensors: tf.Tensor[]) => Promise.all(tensors.map((t) => t.data<'float32'>()));
  const values = { outputs: await read(outputs), gradients: await read(gradients) };
  tf.dispose([outputs, gradients]);
  return values;
}
