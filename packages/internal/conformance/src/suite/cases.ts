// The shapes and values that the suite runs on, and what its tests do with one of them.
import type { NormalizeOptions } from '@rebatch/core';
import { viewChannels } from '@rebatch/core/~internal';
import { type Layout, type SeededRandom, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';

export interface Case {
  readonly title: string;
  readonly shape: number[];
  readonly layout: Layout;
  readonly options: { axis: number; groups?: number; epsilon: number };
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly gamma: Float32Array | undefined;
  readonly beta: Float32Array | undefined;
}

function randomCase(random: SeededRandom, index: number): Case {
  const rank = random.integer(2, 5);
  const axis = random.integer(0, rank - 1);
  const groups = axis === 0 ? 1 : [1, 1, 2, 3, 5][random.integer(0, 4)]!;
  const shape = Array.from({ length: rank }, () => random.integer(1, rank > 3 ? 6 : 17));
  shape[0] = axis === 0 ? random.integer(1, 9) : groups * random.integer(2, 7);
  if (axis === 0) shape[1] = random.integer(2, 17);
  if (rank === 2 && random.uniform() < 0.3) shape[axis === 0 ? 1 : 0] = groups * random.integer(40, 90);
  const layout = viewChannels(shape, { axis, groups });
  const size = shape.reduce((a, b) => a * b, 1);
  const epsilon = [1e-3, 1e-5, 1][random.integer(0, 2)]!;
  const some = (length: number, mean: number) =>
    random.uniform() < 0.25 ? undefined : random.normals(length, mean, 0.5);
  return {
    title: `#${index}: [${shape}] axis ${axis}, ${groups} groups`,
    shape,
    layout,
    options: {
      axis: random.uniform() < 0.5 ? axis : axis - rank,
      ...(groups > 1 ? { groups } : {}),
      epsilon,
    },
    x: random.normals(size, random.normal() * 3, 0.5 + 2 * random.uniform()),
    dy: random.normals(size),
    gamma: some(layout.channels, 1),
    beta: some(layout.channels, 0),
  };
}

const random = seededRandom(20210517);
export const CASES = Array.from({ length: 40 }, (_, i) => randomCase(random, i));
/** Shapes as CNNs have them, with channel counts that no vector width divides. */
export const LARGE: Case[] = [
  [[8, 14, 14, 3], 3, 1],
  [[8, 14, 14, 17], 3, 4],
  [[4, 9, 15, 15], 1, 2],
  [[600, 33], 1, 3],
].map(([shape, axis, groups], i) => {
  const layout = viewChannels(shape as number[], { axis: axis as number, groups: groups as number });
  const size = (shape as number[]).reduce((a, b) => a * b, 1);
  return {
    title: `large #${i}: [${shape}] axis ${axis}, ${groups} groups`,
    shape: shape as number[],
    layout,
    options: { axis: axis as number, groups: groups as number, epsilon: 1e-3 },
    x: random.normals(size, 1, 2),
    dy: random.normals(size),
    gamma: random.normals(layout.channels, 1, 0.5),
    beta: random.normals(layout.channels),
  };
});

export function load(c: Case) {
  const x = tf.tensor(c.x, c.shape);
  const dy = tf.tensor(c.dy, c.shape);
  const gamma = c.gamma && tf.tensor1d(c.gamma);
  const beta = c.beta && tf.tensor1d(c.beta);
  const all = [x, dy, gamma, beta].filter((t): t is tf.Tensor => t !== undefined);
  return { x, dy, gamma, beta, all, affine: { gamma, beta } };
}

export function affine({ gamma, beta, options }: Case) {
  return { epsilon: options.epsilon, ...(gamma ? { gamma } : {}), ...(beta ? { beta } : {}) };
}

export async function gradientsOf(
  { x, dy, gamma, beta }: ReturnType<typeof load>,
  op: (options: NormalizeOptions) => tf.Tensor,
  options: NormalizeOptions,
) {
  const inputs = [x, gamma, beta].filter((t): t is tf.Tensor => t !== undefined);
  const gradients = tf.grads(() => op({ ...options, gamma, beta }))(inputs, dy);
  const values = await Promise.all(gradients.map((g) => g.data()));
  tf.dispose(gradients);
  const [dx, ...rest] = values;
  return { dx: dx!, dgamma: gamma && rest.shift(), dbeta: beta && rest.shift() };
}

export function perChannelSums({ dy, layout }: Case, xhat: Float64Array) {
  const dgamma = new Float64Array(layout.channels);
  const dbeta = new Float64Array(layout.channels);
  for (let i = 0; i < dy.length; i++) {
    const channel = Math.floor(i / layout.inner) % layout.channels;
    dgamma[channel]! += dy[i]! * xhat[i]!;
    dbeta[channel]! += dy[i]!;
  }
  return { dgamma, dbeta };
}
