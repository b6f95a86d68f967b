// A gamma and a beta for each group.
import { batchNormalize, normalize } from '@rebatch/core';
import { expectClose, referenceSlotNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { test } from 'vitest';
import { run, valuesOf } from './values.ts';

const TOLERANCE = 1e-5;
const EPSILON = 1e-3;

/** Declares the tests for the backend that is current when they run. */
export function describeGroups(): void {
  test.each([
    { shape: [12, 5], axis: 1, groups: 3 },
    { shape: [8, 3, 3, 16], axis: 3, groups: 4 },
    { shape: [6, 4, 6, 6], axis: 1, groups: 2 },
  ])('a gamma and beta per group: $shape, $groups groups', async ({ shape, axis, groups }) => {
    const random = seededRandom(groups);
    const values = valuesOf(random, shape, axis);
    const slots = groups * values.channels;
    const bySlot = values.sampleOf.map(
      (sample, i) => Math.floor((sample * groups) / shape[0]!) * values.channels + values.channelOf[i]!,
    );
    const of = { moments: bySlot, affine: bySlot, counts: { moments: slots, affine: slots } };
    const [gamma, beta, mean] = [random.normals(slots, 1), random.normals(slots), random.normals(slots)];
    const variance = random.normals(slots).map((v) => v * v + 0.1);
    const perGroup = (data: Float32Array) => tf.tensor(data, [groups, values.channels]);
    const given = { mean: perGroup(mean), variance: perGroup(variance) };
    const inputs = [tf.tensor(values.x, shape), perGroup(gamma), perGroup(beta)];
    const constants = new Map(Array.from(mean, (m, s) => [s, { mean: m, variance: variance[s]! }]));
    type Op = (x: tf.Tensor, options: { gamma: tf.Tensor; beta: tf.Tensor }) => tf.Tensor;
    const options = { axis, groups, epsilon: EPSILON };
    const cases: [Op, object][] = [
      [(x, affine) => batchNormalize(x, { ...options, ...affine }).y, {}],
      [(x, affine) => normalize(x, given, { ...options, ...affine }), { constants }],
    ];
    for (const [op, how] of cases) {
      const expected = referenceSlotNorm(values.x, values.dy, of, { gamma, beta, epsilon: EPSILON, ...how });
      const { outputs, gradients } = await run(
        ([x, gamma, beta]) => [op(x!, { gamma: gamma!, beta: beta! })],
        inputs,
        [values.dy],
      );
      expectClose(outputs[0]!, expected.y, TOLERANCE, 'y');
      expectClose(gradients[0]!, expected.dx, TOLERANCE, 'dx');
      expectClose(gradients[1]!, expected.dgamma, TOLERANCE, 'dgamma');
      expectClose(gradients[2]!, expected.dbeta, TOLERANCE, 'dbeta');
    }
    tf.dispose([inputs, Object.values(given)]);
  });
}
