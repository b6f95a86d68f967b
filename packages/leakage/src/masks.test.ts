// Steps that do not count, in ghost, shuffled and synchronized layers.
import { batchNormalization } from '@rebatch/layers';
import { onEachBackend, randomizeWeights, weightValues } from '@rebatch/test-models';
import { expectClose, referenceSlotNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  type Group,
  ghostBatchNormalization,
  inLockstep,
  shuffled,
  syncBatchNormalization,
} from './index.ts';

const EPSILON = 1e-3;
const [SAMPLES, STEPS, CHANNELS] = [6, 5, 2];
const SHAPE = [SAMPLES, STEPS, CHANNELS];
const LENGTHS = [5, 2, 3, 1, 4, 2];
const PLAIN = { center: false, scale: false, epsilon: EPSILON };

/** Sequences of LENGTHS valid steps, the rest 0. */
const values = seededRandom(5)
  .normals(SAMPLES * STEPS * CHANNELS, 3, 2)
  .map((value, i) => (stepOf(i) < LENGTHS[sampleOf(i)]! ? value : 0));

function sampleOf(i: number): number {
  return Math.floor(i / (STEPS * CHANNELS));
}
function stepOf(i: number): number {
  return Math.floor(i / CHANNELS) % STEPS;
}

/** y and gradients in float64, where `groupOf` says which samples are normalized together. */
function reference(dy: ArrayLike<number>, groupOf: readonly number[], groups: number) {
  const channel = Array.from(values, (_, i) => i % CHANNELS);
  const slots = {
    moments: channel.map((c, i) => groupOf[sampleOf(i)]! * CHANNELS + c),
    affine: channel,
    counts: { moments: groups * CHANNELS, affine: CHANNELS },
  };
  const counted = Array.from(values, (_, i) => stepOf(i) < LENGTHS[sampleOf(i)]!);
  return referenceSlotNorm(values, dy, slots, { epsilon: EPSILON, counted });
}

/** Output behind masking, and the gradient of what comes from there: tf.layers has none of masking itself. */
function applied(layer: tfl.layers.Layer, x: tf.Tensor, dy: ArrayLike<number>) {
  const model = tfl.sequential({ layers: [tfl.layers.masking({ inputShape: [STEPS, CHANNELS] }), layer] });
  return tf.tidy(() => {
    const y = (model.apply(x, { training: true }) as tf.Tensor).dataSync<'float32'>().slice();
    const mask = tf.any(tf.notEqual(x, 0), -1);
    const gradient = tf.grad(
      (input: tf.Tensor) => layer.apply(input, { training: true, mask } as never) as tf.Tensor,
    )(x, tf.tensor(Float32Array.from(dy), x.shape));
    return { y, dx: gradient.dataSync<'float32'>().slice() };
  });
}

const dy = seededRandom(6).normals(values.length);

onEachBackend(() => {
  test('groups of a ghost layer, by their valid steps', () => {
    const x = tf.tensor(values, SHAPE);
    const layer = ghostBatchNormalization({ ...PLAIN, groups: 2, assign: 'strided' });
    const { y, dx } = applied(layer, x, dy);
    const expected = reference(dy, [0, 1, 0, 1, 0, 1], 2);
    expectClose(y, expected.y, 1e-5, 'y');
    expectClose(dx, expected.dx, 1e-4, 'dx');
    x.dispose();
  });

  test('masks move with the samples of a shuffled block, and pass through a shuffled layer', () => {
    const x = tf.tensor(values, SHAPE);
    const block = () =>
      tfl.sequential({ layers: [batchNormalization({ ...PLAIN, inputShape: [STEPS, CHANNELS] })] });
    for (const inner of [batchNormalization(PLAIN), block()]) {
      const { y, dx } = applied(shuffled(inner, { groups: 1 }), x, dy);
      const expected = reference(
        dy,
        LENGTHS.map(() => 0),
        1,
      );
      expectClose(y, expected.y, 1e-5, 'y');
      expectClose(dx, expected.dx, 1e-4, 'dx');
    }
    const behind = batchNormalization({ ...PLAIN, momentum: 0 });
    const layers = [
      tfl.layers.masking({ inputShape: [STEPS, CHANNELS] }),
      shuffled(batchNormalization({ ...PLAIN, trainingStatistics: 'population', epsilon: 0 }), { groups: 2 }),
      behind,
    ];
    tf.tidy(() => void tfl.sequential({ layers }).apply(x, { training: true }));
    const { mean } = reference(
      dy,
      LENGTHS.map(() => 0),
      1,
    );
    expectClose(weightValues(behind)[0]!, mean, 1e-5, 'behind a shuffled layer');
    x.dispose();
  });

  test('replicas normalize by the valid steps of all', () => {
    // Of three replicas one has nothing but padding.
    const shards = [
      [0, 1],
      [2, 6],
      [6, 7],
    ] as const;
    const x = tf.tensor(Float32Array.from([...values, ...new Float32Array(STEPS * CHANNELS)]), [
      SAMPLES + 1,
      STEPS,
      CHANNELS,
    ]);
    const per = STEPS * CHANNELS;
    const replica = (rank: number) => (group: Group) => {
      const [from, to] = rank === 0 ? [0, 2] : shards[rank]!;
      const layer = syncBatchNormalization({ ...PLAIN, momentum: 0, group });
      const upstream = Float32Array.from({ length: (to - from) * per }, (_, i) => dy[from * per + i] ?? 0);
      const own = tf.tidy(() => applied(layer, tf.slice(x, from, to - from), upstream));
      const [mean, variance] = weightValues(layer);
      return { ...own, mean, variance };
    };
    const got = inLockstep([replica(0), replica(1), replica(2)]);
    const expected = reference(
      dy,
      LENGTHS.map(() => 0),
      1,
    );
    const joined = (of: 'y' | 'dx') => got.slice(0, 2).flatMap((part) => Array.from(part[of]));
    expectClose(joined('y'), expected.y, 1e-5, 'y');
    expectClose(joined('dx'), expected.dx, 1e-4, 'dx');
    for (const { mean, variance } of got) {
      expectClose(mean!, expected.mean, 1e-5, 'mean');
      expectClose(variance!, expected.variance, 1e-5, 'variance');
    }
    expect(got[2]!.y.every(Number.isFinite)).toBe(true);
    x.dispose();
  });

  test('replicas with a single value in all do as the layer is set', () => {
    const run = (singleValue: 'throw' | 'normalize') =>
      inLockstep(
        [[3], []].map((own) => (group: Group) => {
          const layer = syncBatchNormalization({ group, singleValue, momentum: 0.5 });
          layer.build([null, 1]);
          randomizeWeights(layer, 2);
          const [, beta, mean, variance] = weightValues(layer).map(([value]) => value!);
          const y = tf.tidy(() =>
            Array.from(
              (layer.apply(tf.tensor2d(own, [own.length, 1]), { training: true }) as tf.Tensor).dataSync(),
            ),
          );
          const [, , nextMean, nextVariance] = weightValues(layer).map(([value]) => value!);
          expect(nextMean).toBeCloseTo(0.5 * mean! + 1.5, 5);
          expect(nextVariance).toBeCloseTo(0.5 * variance!, 5);
          return y.map((value) => value - beta!);
        }),
      );
    expect(run('normalize')).toEqual([[0], []]);
    expect(() => run('throw')).toThrow(/at least 2 values.*singleValue: 'normalize'/);
  });
});
