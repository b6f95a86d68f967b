// Synchronized layers run by replicas in lockstep, and what they should give. Not published.
import { referenceBatchNorm, referenceBatchNormGradients, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import type { Group } from '../group/group.ts';
import { type SyncBatchNormalizationConfig, syncBatchNormalization } from './sync-batch-normalization.ts';

/** A batch in parts, one per replica: [samples, 3, 2, channels]; and the gradient that reaches the output. */
export interface Parts {
  readonly x: readonly Float32Array[];
  readonly dy: readonly Float32Array[];
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

export const CHANNELS = 5;
const INNER = [3, 2];
const PER_SAMPLE = 6 * CHANNELS;

export function randomParts(samples: readonly number[], seed: number, mean = 0.7): Parts {
  const random = seededRandom(seed);
  // Each replica's values lie elsewhere: moments of one alone would be far off.
  const x = samples.map((count, at) => random.normals(count * PER_SAMPLE, mean + at, 1 + at));
  const dy = samples.map((count) => random.normals(count * PER_SAMPLE));
  return { x, dy, gamma: random.normals(CHANNELS, 1, 0.3), beta: random.normals(CHANNELS) };
}

/** One application by one replica: its output, its gradients, and where its moving statistics are then. */
export function apply(
  parts: Parts,
  { rank, config = {} }: { rank: number; config?: SyncBatchNormalizationConfig },
  group: Group,
) {
  const [data, upstream] = [parts.x[rank]!, parts.dy[rank]!];
  const shape = [data.length / PER_SAMPLE, ...INNER, CHANNELS];
  const layer = syncBatchNormalization({ momentum: 0, ...config, group });
  let y: tf.Tensor | undefined;
  try {
    layer.build([null, ...INNER, CHANNELS]);
    return tf.tidy(() => {
      const affine = [tf.tensor1d(parts.gamma), tf.tensor1d(parts.beta)];
      layer.setWeights([...affine, tf.zeros([CHANNELS]), tf.ones([CHANNELS])]);
      const [x, dy] = [tf.tensor(data, shape), tf.tensor(upstream, shape)];
      const gradients = tf.grads((x: tf.Tensor) => {
        y = tf.keep(layer.apply(x, { training: true }) as tf.Tensor);
        return y;
      })([x, ...layer.trainableWeights.map((weight) => weight.read())], dy);
      const [dx, dgamma, dbeta] = gradients.map(valuesOf);
      const out = { y: valuesOf(y!), dx: dx!, dgamma: dgamma!, dbeta: dbeta!, shape: y!.shape };
      return {
        ...out,
        mean: valuesOf(layer.movingMean.read()),
        variance: valuesOf(layer.movingVariance.read()),
      };
    });
  } finally {
    y?.dispose();
    for (const weight of layer.weights) weight.read().dispose();
  }
}

const valuesOf = (tensor: tf.Tensor) => tensor.dataSync<'float32'>().slice();

/** Batch normalization of all parts as one batch, in float64. */
export function referenceOf({ x, dy, gamma, beta }: Parts, epsilon = 1e-3) {
  const all = (parts: readonly Float32Array[]) => parts.flatMap((part) => Array.from(part));
  const values = all(x);
  const layout = { outer: values.length / CHANNELS, channels: CHANNELS, inner: 1, groups: 1 };
  return {
    y: referenceBatchNorm(values, layout, { gamma, beta, epsilon }),
    ...referenceBatchNormGradients(values, all(dy), layout, { gamma, epsilon }),
  };
}
