// Gradients of gradients, as a penalty on gradients needs them.
import {
  batchMoments,
  batchNormalize,
  jointBatchNormalize,
  normalize,
  normalizePart,
  segmentBatchNormalize,
} from '@rebatch/core';
import {
  expectClose,
  referenceBatchNorm,
  referenceBatchNormGradients,
  referenceNormalize,
  referenceSlotNorm,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';

const LAYOUT = { outer: 6, channels: 3, inner: 1, groups: 1 };
const SHAPE = [LAYOUT.outer, LAYOUT.channels];
const SIZE = LAYOUT.outer * LAYOUT.channels;

/** The gradient of sum(weights * gradient(x)), by differences. */
function differentiated(
  gradient: (x: Float64Array) => ArrayLike<number>,
  x: Float32Array,
  weights: Float32Array,
): Float64Array {
  const step = 1e-5;
  const total = (at: number, by: number) => {
    const dx = gradient(Float64Array.from(x, (value, i) => (i === at ? value + by : value)));
    return weights.reduce((sum, weight, i) => sum + weight * dx[i]!, 0);
  };
  return Float64Array.from(x, (_, i) => (total(i, step) - total(i, -step)) / (2 * step));
}

/** Declares the tests for the backend that is current when they run. */
export function describeSecondOrder(): void {
  const random = seededRandom(77);
  const [x, dy, weights] = [random.normals(SIZE, 1, 2), random.normals(SIZE), random.normals(SIZE)];
  const affine = { gamma: random.normals(3, 1, 0.5), beta: random.normals(3) };
  const given = { mean: [0.5, 1, -1], variance: [1, 2, 0.5] };

  /** The gradient, for x, of sum(weights * gradient of sum(cube(op(x)) * dy)): not linear, whatever the op is. */
  async function secondOf(op: (x: tf.Tensor) => tf.Tensor): Promise<Float32Array> {
    const second = tf.tidy(() => {
      const inner = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.pow(op(x), 3), tf.tensor(dy, SHAPE))));
      return tf.grad((x: tf.Tensor) => tf.sum(tf.mul(inner(x), tf.tensor(weights, SHAPE))))(
        tf.tensor(x, SHAPE),
      );
    });
    const values = await second.data<'float32'>();
    second.dispose();
    return values;
  }

  test.each([true, false])('a gradient can be differentiated again, gamma and beta: %s', async (some) => {
    const before = tf.memory().numTensors;
    const epsilon = 1e-3;
    const vectors = some ? affine : {};
    const options = some ? { gamma: tf.tensor1d(affine.gamma), beta: tf.tensor1d(affine.beta) } : {};

    const byBatch = await secondOf((x) => batchNormalize(x, options).y);
    const gradientByBatch = (x: Float64Array) => {
      const y = referenceBatchNorm(x, LAYOUT, { ...vectors, epsilon });
      const upstream = y.map((value, i) => 3 * value ** 2 * dy[i]!);
      return referenceBatchNormGradients(x, upstream, LAYOUT, { ...vectors, epsilon }).dx;
    };
    expectClose(byBatch, differentiated(gradientByBatch, x, weights), 2e-4, 'by the batch');

    const constants = { mean: tf.tensor1d(given.mean), variance: tf.tensor1d(given.variance) };
    const byConstants = await secondOf((x) => normalize(x, constants, options));
    tf.dispose([constants, options]);
    const gradientByConstants = (x: Float64Array) => {
      const y = referenceNormalize(x, LAYOUT, given, { ...vectors, epsilon });
      return y.map((value, i) => {
        const c = i % 3;
        const slope = (some ? affine.gamma[c]! : 1) / Math.sqrt(given.variance[c]! + epsilon);
        return 3 * value ** 2 * dy[i]! * slope;
      });
    };
    expectClose(byConstants, differentiated(gradientByConstants, x, weights), 2e-4, 'by constants');
    expect(tf.memory().numTensors).toBe(before);
  });

  /** The gradient of the inner loss where rows are normalized in batches, each with other rows. */
  const gradientInBatches =
    (batches: readonly (readonly number[])[], gammas?: readonly Float32Array[]) => (x: Float64Array) => {
      const dx = new Float64Array(x.length);
      batches.forEach((rows, b) => {
        const layout = { ...LAYOUT, outer: rows.length };
        const take = (values: ArrayLike<number>) =>
          rows.flatMap((row) => [0, 1, 2].map((c) => values[3 * row + c]!));
        const vectors = { epsilon: 1e-3, ...(gammas && { gamma: gammas[b]! }) };
        const own = take(x);
        const y = referenceBatchNorm(own, layout, vectors);
        const upstream = y.map((value, i) => 3 * value ** 2 * take(dy)[i]!);
        const gradient = referenceBatchNormGradients(own, upstream, layout, vectors).dx;
        rows.forEach((row, i) => {
          for (let c = 0; c < 3; c++) dx[3 * row + c] = gradient[3 * i + c]!;
        });
      });
      return dx;
    };
  const all = [0, 1, 2, 3, 4, 5];

  test('so can that of groups, segments and tensors that are normalized together', async () => {
    const before = tf.memory().numTensors;
    const check = async (
      op: (x: tf.Tensor) => tf.Tensor,
      gradient: (x: Float64Array) => Float64Array,
      what: string,
    ) => expectClose(await secondOf(op), differentiated(gradient, x, weights), 2e-4, what);
    await check(
      (x) => batchNormalize(x, { groups: 2 }).y,
      gradientInBatches([all.slice(0, 3), all.slice(3)]),
      'groups',
    );

    const ids = tf.tensor1d([0, 1, 1, 0, 1, 0], 'int32');
    const members = [
      [0, 3, 5],
      [1, 2, 4],
    ];
    const gammas = [random.normals(3, 1, 0.5), random.normals(3, 1, 0.5)];
    const gamma = tf.tensor2d([...gammas[0]!, ...gammas[1]!], [2, 3]);
    await check(
      (x) => segmentBatchNormalize(x, ids, 2, { gamma }).y,
      gradientInBatches(members, gammas),
      'segments',
    );
    await check(
      (x) => segmentBatchNormalize(x, ids, 2, { pooled: true }).y,
      gradientInBatches([all]),
      'pooled segments',
    );
    await check(
      (x) => {
        const { ys } = jointBatchNormalize(tf.split(x, [2, 4]));
        return tf.concat(ys);
      },
      gradientInBatches([all]),
      'tensors together',
    );
    // Of each segment, one row does not count.
    const counted = [true, false, true, false, true, true];
    const channel = Array.from(x, (_, i) => i % 3);
    const slots = {
      moments: channel.map((c, i) => (members[0]!.includes(Math.floor(i / 3)) ? c : 3 + c)),
      affine: channel,
      counts: { moments: 6, affine: 3 },
    };
    const masked = { epsilon: 1e-3, counted: channel.map((_, i) => counted[Math.floor(i / 3)]!) };
    const mask = tf.tensor1d(counted, 'bool');
    await check(
      (x) => segmentBatchNormalize(x, ids, 2, { mask }).y,
      (x) => {
        const { y } = referenceSlotNorm(x, dy, slots, masked);
        const upstream = y.map((value, i) => 3 * value ** 2 * dy[i]!);
        return referenceSlotNorm(x, upstream, slots, masked).dx;
      },
      'segments with a mask',
    );
    tf.dispose([ids, gamma, mask]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('so can that of moments that are returned', async () => {
    const before = tf.memory().numTensors;
    /** The gradient of the sum of the cubes of each batch's means, and of its variances. */
    const gradientOfCubes = (batches: readonly (readonly number[])[]) => (x: Float64Array) => {
      const dx = new Float64Array(x.length);
      for (const rows of batches) {
        for (let c = 0; c < 3; c++) {
          const meanOf = (value: (row: number) => number) =>
            rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
          const mean = meanOf((row) => x[3 * row + c]!);
          const variance = meanOf((row) => (x[3 * row + c]! - mean) ** 2);
          for (const row of rows) {
            const along = 2 * (x[3 * row + c]! - mean) * 3 * variance ** 2;
            dx[3 * row + c] = dx[3 * row + c]! + (3 * mean ** 2 + along) / rows.length;
          }
        }
      }
      return dx;
    };
    const ids = tf.tensor1d([0, 1, 1, 0, 1, 0], 'int32');
    const [halves, members] = [
      [all.slice(0, 3), all.slice(3)],
      [
        [0, 3, 5],
        [1, 2, 4],
      ],
    ];
    const segments = (x: tf.Tensor, pooled: boolean) => segmentBatchNormalize(x, ids, 2, { pooled });
    const cases: readonly [
      string,
      (x: tf.Tensor) => { readonly mean: tf.Tensor; readonly variance: tf.Tensor },
      readonly (readonly number[])[],
    ][] = [
      ['batchMoments', (x) => batchMoments(x), [all]],
      ['batchMoments, groups', (x) => batchMoments(x, { groups: 2 }), halves],
      ['batchNormalize', (x) => batchNormalize(x), [all]],
      ['batchNormalize, groups', (x) => batchNormalize(x, { groups: 2 }), halves],
      ['segmentBatchNormalize', (x) => segments(x, false), members],
      ['segmentBatchNormalize, pooled', (x) => segments(x, true).joint!, [all]],
      ['jointBatchNormalize', (x) => jointBatchNormalize(tf.split(x, [2, 4])), [all]],
    ];
    for (const [what, momentsOf, batches] of cases) {
      const second = tf.tidy(() => {
        const inner = tf.grad((x: tf.Tensor) => {
          const { mean, variance } = momentsOf(x);
          return tf.add(tf.sum(tf.pow(mean, 3)), tf.sum(tf.pow(variance, 3)));
        });
        return tf.grad((x: tf.Tensor) => tf.sum(tf.mul(inner(x), tf.tensor(weights, SHAPE))))(
          tf.tensor(x, SHAPE),
        );
      });
      const expected = differentiated(gradientOfCubes(batches), x, weights);
      expectClose(await second.data(), expected, 2e-4, what);
      second.dispose();
    }
    ids.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([
    [[6, 3, 1], 1],
    [[6, 3, 1, 1], 1],
    [[2, 3, 3, 1], 2],
  ])('so can that of channels before axes of size 1: shape %j', async (shape, axis) => {
    const constants = { mean: tf.tensor1d(given.mean), variance: tf.tensor1d(given.variance) };
    const gamma = tf.tensor1d(affine.gamma);
    const loss = (x: tf.Tensor, gamma: tf.Tensor) =>
      tf.sum(tf.pow(normalize(x, constants, { gamma, axis }), 3));
    const [byX, byGamma] = tf.tidy(() => {
      const start = tf.tensor(x, shape);
      const inner = tf.grad((x: tf.Tensor) => loss(x, gamma));
      const ofX = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(inner(x), tf.tensor(weights, shape))))(start);
      const ofGamma = tf.grad((gamma: tf.Tensor) => {
        const inner = tf.grad((x: tf.Tensor) => loss(x, gamma));
        return tf.sum(tf.mul(inner(start), tf.tensor(weights, shape)));
      })(gamma);
      return [ofX, ofGamma];
    });
    // y = gamma * xhat: the inner gradient is 3 * gamma^3 * xhat^2 / deviation.
    const expectedX = new Float64Array(SIZE);
    const expectedGamma = new Float64Array(3);
    for (let i = 0; i < SIZE; i++) {
      const c = i % 3;
      const inverse = 1 / Math.sqrt(given.variance[c]! + 1e-3);
      const xhat = (x[i]! - given.mean[c]!) * inverse;
      expectedX[i] = 6 * affine.gamma[c]! ** 3 * xhat * inverse ** 2 * weights[i]!;
      expectedGamma[c] = expectedGamma[c]! + 9 * affine.gamma[c]! ** 2 * xhat ** 2 * inverse * weights[i]!;
    }
    expectClose(await byX.data(), expectedX, 2e-4, 'of x');
    expectClose(await byGamma.data(), expectedGamma, 2e-4, 'of gamma');
    tf.dispose([constants, gamma, byX, byGamma]);
  });

  test('one tensor normalized together with none: by hand', async () => {
    // f(x) = sum of the cubes of y, g its gradient: the gradient of the sum of the squares of g.
    const values = [1, 2, 4, -1, 3, 0.5, 2, 5];
    const layout = { outer: 8, channels: 1, inner: 1, groups: 1 };
    const gradient = (x: Float64Array) => {
      const y = referenceBatchNorm(x, layout, { epsilon: 1e-3 });
      return referenceBatchNormGradients(
        x,
        y.map((value) => 3 * value ** 2),
        layout,
        { epsilon: 1e-3 },
      ).dx;
    };
    const squares = (x: Float64Array) => gradient(x).reduce((sum, value) => sum + value * value, 0);
    const expected = values.map((_, at) => {
      const moved = (by: number) => squares(Float64Array.from(values, (v, i) => (i === at ? v + by : v)));
      return (moved(1e-5) - moved(-1e-5)) / 2e-5;
    });
    expectClose(expected.slice(0, 4), [8.45, 0.55, -10.17, -1.31], 2e-3);
    const second = tf.tidy(() => {
      const inner = tf.grad((x: tf.Tensor) => tf.sum(tf.pow(jointBatchNormalize([x]).ys[0]!, 3)));
      return tf.grad((x: tf.Tensor) => tf.sum(tf.square(inner(x))))(tf.tensor2d(values, [8, 1]));
    });
    expectClose(await second.data(), expected, 1e-3);
    second.dispose();
  });

  test('a part of a whole that lies elsewhere says that it cannot be', () => {
    const whole = {
      mean: tf.tensor1d(given.mean),
      variance: tf.tensor1d(given.variance),
      count: 2 * LAYOUT.outer,
      sumOverParts: (own: tf.Tensor2D) => own,
    };
    const inner = tf.grad((x: tf.Tensor) => tf.sum(tf.square(normalizePart(x, whole, { name: 'bn' }))));
    const start = tf.tensor(x, SHAPE);
    expect(() => tf.grad((x: tf.Tensor) => tf.sum(inner(x)))(start)).toThrow(
      /normalizePart \(layer 'bn'\): expected a gradient that is not differentiated again/,
    );
    inner(start).dispose();
    tf.dispose([start, whole.mean, whole.variance]);
  });
}
