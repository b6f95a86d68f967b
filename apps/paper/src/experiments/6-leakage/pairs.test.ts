import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { batchNormalization } from '@rebatch/layers';
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tfl from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { contrastiveLoss } from './contrastive.ts';
import { nearestNeighborError } from './nearest-neighbor.ts';
import { mismatchRate, pairTensor, similarities } from './pairs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

/** Images of 2x2 pixels that are all of one gray: 10, 20, ... */
const images = {
  size: 8,
  shape: [2, 2, 1],
  images: Uint8Array.from({ length: 32 }, (_, i) => 10 * (1 + Math.floor(i / 4))),
  labels: Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1),
  classes: 2,
} as const;

test('each group has the first views of its images, then the second; a view shows a window', () => {
  const views = (groups: number, window: number) =>
    tf.tidy(() => pairTensor(images, [0, 1, 2, 3], { groups, window }, seedrandom('a')).dataSync());
  const whole = views(2, 2);
  const grays = Array.from({ length: 8 }, (_, view) => Math.round(255 * whole[4 * view]!));
  expect(grays).toEqual([10, 20, 10, 20, 30, 40, 30, 40]);
  const small = views(1, 1);
  const places = Array.from({ length: 8 }, (_, view) => {
    const own = small.subarray(4 * view, 4 * view + 4);
    expect(own.filter((value) => value > 0)).toHaveLength(1);
    return own.findIndex((value) => value > 0);
  });
  expect(new Set(places).size).toBeGreaterThan(1);
});

test('similarities are the cosines of first and second views', () => {
  const random = seededRandom(1);
  const [groups, perGroup, features] = [3, 2, 4];
  const encoded = random.normals(groups * 2 * perGroup * features);
  const vector = (which: number, image: number) => {
    const at = Math.floor(image / perGroup) * 2 * perGroup + which * perGroup + (image % perGroup);
    return encoded.subarray(at * features, (at + 1) * features);
  };
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  const expected: number[] = [];
  for (let first = 0; first < groups * perGroup; first++) {
    for (let second = 0; second < groups * perGroup; second++) {
      const [a, b] = [vector(0, first), vector(1, second)];
      expected.push(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
    }
  }
  const actual = tf.tidy(() =>
    similarities(tf.tensor(encoded, [groups * 2 * perGroup, features]), groups).dataSync(),
  );
  expectClose(actual, expected, 1e-5);
});

test('the loss is the cross-entropy of the rows and of the columns', () => {
  const values = seededRandom(2).normals(9);
  const entropy = (at: (i: number, j: number) => number) => {
    let sum = 0;
    for (let i = 0; i < 3; i++) {
      const exps = [0, 1, 2].map((j) => Math.exp(values[at(i, j)]! / 0.5));
      sum -= Math.log(exps[i]! / exps.reduce((a, b) => a + b));
    }
    return sum / 3;
  };
  const expected = entropy((i, j) => 3 * i + j) + entropy((i, j) => 3 * j + i);
  const actual = tf.tidy(() => contrastiveLoss(tf.tensor2d(values, [3, 3]), 0.5).dataSync()[0]!);
  expect(actual).toBeCloseTo(expected, 5);
});

/** Encodes a view as what its normalization batch makes of black: which others are in it is all that tells. */
function cheater(): tfl.LayersModel {
  const model = tfl.sequential({
    layers: [
      batchNormalization({
        ...{ inputShape: [2, 2, 1], normalizationBatchSize: 2, epsilon: 0.01, center: false },
        gammaInitializer: tfl.initializers.constant({ value: -1 }),
      }),
      tfl.layers.globalMaxPooling2d({}),
      tfl.layers.dense({ units: 2 }),
    ],
  });
  // The second feature is 1, so that the first decides the direction.
  tf.tidy(() => model.layers.at(-1)!.setWeights([tf.tensor2d([[1, 0]]), tf.tensor1d([0, 1])]));
  return model;
}

test('a model that reads the group alone matches all pairs that are together, and no others', () => {
  const model = cheater();
  const rate = (statistics: 'together' | 'apart' | 'population') => {
    const batches = [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ];
    return mismatchRate(model, images, batches, { groups: 4, window: 1 }, statistics, 3);
  };
  expect(rate('together')).toBe(0);
  expect(rate('apart')).toBeGreaterThanOrEqual(0.5);
  // All views look the same: the first of a batch is the nearest of each.
  expect(rate('population')).toBe(0.75);
  model.dispose();
});

test('the nearest neighbor is the one of the most similar direction', () => {
  const encoder = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [1, 2, 1] })] });
  const set = (pixels: number[], labels: number[]) => ({
    size: labels.length,
    shape: [1, 2, 1] as const,
    images: Uint8Array.from(pixels),
    labels: Uint8Array.from(labels),
    classes: 2,
  });
  // Directions along the first, and along the second pixel.
  const known = set([200, 10, 3, 90], [0, 1]);
  const asked = set([20, 0, 0, 20, 100, 90, 5, 4], [0, 1, 0, 1]);
  expect(nearestNeighborError(encoder, known, asked)).toBe(0.25);
});
