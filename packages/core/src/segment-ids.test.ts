import '@tensorflow/tfjs-backend-cpu';
import { expectClose, expectNoLeaks, referenceBatchNormGradients, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { InvalidInputError, segmentBatchNormalize } from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const random = seededRandom(23);
const CHANNELS = 3;
const int32 = (ids: readonly number[]) => tf.tensor1d([...ids], 'int32');

/** dx and dgamma of a batch whose samples are normalized by segment, against a float64 reference of each segment alone. */
async function expectGradients(ids: readonly number[], segments: number): Promise<void> {
  const [samples, inner] = [ids.length, 2];
  const width = CHANNELS * inner;
  const [values, dValues] = [random.normals(samples * width, 2), random.normals(samples * width)];
  const gamma = random.normals(CHANNELS, 1);
  const dx = new Float64Array(values.length);
  const dgamma = new Float64Array(CHANNELS);
  for (let segment = 0; segment < segments; segment++) {
    const members = ids.flatMap((id, i) => (id === segment ? [i] : []));
    if (members.length === 0) continue;
    const pick = (all: Float32Array) =>
      Float32Array.from(members.flatMap((i) => [...all.subarray(i * width, (i + 1) * width)]));
    const layout = { outer: members.length, channels: CHANNELS, inner, groups: 1 };
    const own = referenceBatchNormGradients(pick(values), pick(dValues), layout, { gamma, epsilon: 1e-3 });
    for (const [at, i] of members.entries()) dx.set(own.dx.subarray(at * width, (at + 1) * width), i * width);
    own.dgamma.forEach((value, c) => {
      dgamma[c]! += value;
    });
  }
  await expectNoLeaks(tf, async () => {
    const x = tf.tensor3d(values, [samples, CHANNELS, inner]);
    const g = tf.tensor1d(gamma);
    const of = int32(ids);
    const normalized = (...given: tf.Tensor[]) =>
      segmentBatchNormalize(given[0]!, of, segments, { axis: 1, gamma: given[1]! }).y;
    const dy = tf.tensor3d(dValues, [samples, CHANNELS, inner]);
    const [gotX, gotGamma] = tf.grads(normalized)([x, g], dy) as [tf.Tensor, tf.Tensor];
    expectClose(await gotX.data(), dx, 1e-5);
    expectClose(await gotGamma.data(), dgamma, 1e-5);
    tf.dispose([x, g, of, dy, gotX, gotGamma]);
  });
}

test.each([
  ['in runs, as many in each', [0, 0, 0, 1, 1, 1], 2],
  ['scattered, as many in each', [2, 0, 1, 0, 2, 1, 1, 0, 2], 3],
  ['not as many in each', [1, 0, 1, 1, 0, 1], 2],
  ['as many in each that has some', [2, 0, 2, 0], 3],
] as const)('gradients through the moments of segments, %s', (_, ids, segments) =>
  expectGradients(ids, segments),
);

test('what is known of ids is that of their values and of the number of segments', () => {
  tf.tidy(() => {
    const x = tf.tensor2d(random.normals(6 * CHANNELS), [6, CHANNELS]);
    const counts = (ids: tf.Tensor, segments: number) => [
      ...segmentBatchNormalize(x, ids, segments).counts.dataSync(),
    ];
    const ids = int32([0, 0, 1, 1, 2, 2]);
    for (let again = 0; again < 2; again++) {
      expect(counts(ids, 3)).toEqual([2, 2, 2]);
      expect(counts(ids, 4)).toEqual([2, 2, 2, 0]);
      // Too few segments are refused however often the ids were read.
      expect(() => counts(ids, 2)).toThrow(InvalidInputError);
    }
    const variable = tf.variable(ids, false);
    expect(counts(variable, 3)).toEqual([2, 2, 2]);
    variable.assign(int32([2, 2, 2, 2, 0, 0]));
    expect(counts(variable, 3)).toEqual([2, 0, 4]);
    variable.assign(int32([0, 0, 0, 0, 0, 9]));
    expect(() => counts(variable, 3)).toThrow(InvalidInputError);
    variable.dispose();
  });
});
