// Several tensors as one batch.
import { jointBatchNormalize } from '@rebatch/core';
import {
  expectClose,
  expectNoLeaks,
  referenceSlotMoments,
  referenceSlotNorm,
  type SeededRandom,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { run, type Values, valuesOf } from './values.ts';

const TOLERANCE = 1e-5;
const EPSILON = 1e-3;

/** Tensors that belong together: levels of a pyramid, other numbers of samples, other ranks, and one alone. */
const LEVELS: readonly { readonly shapes: readonly (readonly number[])[]; readonly axis: number }[] = [
  {
    shapes: [
      [4, 12, 12, 16],
      [4, 6, 6, 16],
      [4, 3, 3, 16],
    ],
    axis: -1,
  },
  {
    shapes: [
      [3, 5, 9, 9],
      [2, 5, 1, 1],
      [7, 5, 2, 3],
    ],
    axis: 1,
  },
  {
    shapes: [
      [40, 6],
      [1, 6],
      [3, 2, 6],
    ],
    axis: -1,
  },
  { shapes: [[5, 4, 3]], axis: 1 },
];

/** All values one after the other, the slot of each by channel, and by tensor and channel. */
function together(parts: readonly Values[]) {
  const join = (of: (part: Values) => ArrayLike<number>) => parts.flatMap((part) => Array.from(of(part)));
  const { channels } = parts[0]!;
  return {
    x: join(({ x }) => x),
    dy: join(({ dy }) => dy),
    channelOf: join(({ channelOf }) => channelOf),
    byTensor: parts.flatMap(({ channelOf }, t) => channelOf.map((channel) => t * channels + channel)),
  };
}

const partsOf = (random: SeededRandom, { shapes, axis }: (typeof LEVELS)[number]) =>
  shapes.map((shape) => valuesOf(random, shape, axis));

/** Declares the tests for the backend that is current when they run. */
export function describeJoint(): void {
  describe.each([...LEVELS.keys()])('jointBatchNormalize, levels #%i', (index) => {
    const { shapes, axis } = LEVELS[index]!;
    const tensors = shapes.length;

    test.each([false, true])('values and gradients, gamma and beta per tensor: %s', async (perTensor) => {
      const random = seededRandom(700 + index);
      const parts = partsOf(random, LEVELS[index]!);
      const { channels } = parts[0]!;
      const all = together(parts);
      const size = perTensor ? tensors * channels : channels;
      const [gamma, beta] = [random.normals(size, 1), random.normals(size)];
      gamma[0] = 0;
      const expected = referenceSlotNorm(
        all.x,
        all.dy,
        {
          moments: all.channelOf,
          affine: perTensor ? all.byTensor : all.channelOf,
          counts: { moments: channels, affine: size },
        },
        { gamma, beta, epsilon: EPSILON },
      );
      const affineShape = perTensor ? [tensors, channels] : [channels];
      const xs = parts.map(({ x }, t) => tf.tensor(x, [...shapes[t]!]));
      const inputs = [...xs, tf.tensor(gamma, affineShape), tf.tensor(beta, affineShape)];
      const op = (all: tf.Tensor[]) => {
        const [gamma, beta] = all.slice(tensors);
        return jointBatchNormalize(all.slice(0, tensors), { axis, gamma, beta });
      };
      const { outputs, gradients } = await run(
        (all) => op(all).ys,
        inputs,
        parts.map(({ dy }) => dy),
      );
      const flat = (arrays: readonly Float32Array[]) => arrays.flatMap((array) => Array.from(array));
      expectClose(flat(outputs), expected.y, TOLERANCE, 'ys');
      expectClose(flat(gradients.slice(0, tensors)), expected.dx, TOLERANCE, 'dxs');
      expectClose(gradients[tensors]!, expected.dgamma, TOLERANCE, 'dgamma');
      expectClose(gradients[tensors + 1]!, expected.dbeta, TOLERANCE, 'dbeta');

      const out = op(inputs);
      expect(out.ys.map((y) => y.shape)).toEqual(shapes);
      expect(out.mean.shape).toEqual([channels]);
      expect(out.count).toBe(expected.count[0]);
      expectClose(await out.mean.data(), expected.mean, TOLERANCE, 'mean');
      expectClose(await out.variance.data(), expected.variance, TOLERANCE, 'variance');
      const own = referenceSlotMoments(all.x, all.byTensor, tensors * channels);
      for (const [t, part] of out.parts.entries()) {
        const slice = (array: Float64Array) => array.slice(t * channels, (t + 1) * channels);
        expect(part.count).toBe(own.count[t * channels]);
        expectClose(await part.mean.data(), slice(own.mean), TOLERANCE, `mean of part ${t}`);
        expectClose(await part.variance.data(), slice(own.variance), TOLERANCE, `variance of part ${t}`);
      }
      tf.dispose([inputs, out.ys, out.mean, out.variance]);
      tf.dispose(out.parts.flatMap(({ mean, variance }) => [mean, variance]));
    });

    test('outputs that are not used add nothing to the gradients', async () => {
      const random = seededRandom(800 + index);
      const parts = partsOf(random, LEVELS[index]!);
      const all = together(parts);
      const counts = { moments: parts[0]!.channels, affine: parts[0]!.channels };
      const dy = all.dy.map((value, i) => (i < parts[0]!.x.length ? value : 0));
      const of = { moments: all.channelOf, affine: all.channelOf, counts };
      const expected = referenceSlotNorm(all.x, dy, of, { epsilon: EPSILON });
      const xs = parts.map(({ x }, t) => tf.tensor(x, [...shapes[t]!]));
      const { gradients } = await run((inputs) => jointBatchNormalize(inputs, { axis }).ys.slice(0, 1), xs, [
        parts[0]!.dy,
      ]);
      expectClose(
        gradients.flatMap((dx) => Array.from(dx)),
        expected.dx,
        TOLERANCE,
        'dxs',
      );
      tf.dispose(xs);
    });
  });

  test('the joint moments are differentiable', async () => {
    const random = seededRandom(41);
    const [a, b] = [random.normals(30, 1, 2), random.normals(6, -1)];
    const xs = [tf.tensor(a, [5, 2, 3]), tf.tensor(b, [2, 3])];
    const weights = [0.3, -1, 2];
    const dxs = tf.grads((...xs: tf.Tensor[]) => {
      const { mean, variance } = jointBatchNormalize(xs);
      return tf.sum(tf.mul(tf.add(tf.square(mean), variance), weights));
    })(xs);
    // d/dx of sum(w (mean^2 + variance)) = 2 w (mean + x - mean) / n = 2 w x / n, over the 12 values per channel.
    for (const [t, values] of [a, b].entries()) {
      const expected = Array.from(values, (value, i) => (2 * weights[i % 3]! * value) / 12);
      expectClose(await dxs[t]!.data(), expected, TOLERANCE);
    }
    tf.dispose([xs, dxs]);
  });

  test('tensors with a mean of 1e4 standard deviations do not cancel', async () => {
    const random = seededRandom(42);
    const parts = [900, 250].map((rows) => random.normals(rows * 4, 1e4, 1));
    const xs = parts.map((x) => tf.tensor(x, [x.length / 4, 4]));
    const all = parts.flatMap((x) => Array.from(x));
    const channel = all.map((_, i) => i % 4);
    const expected = referenceSlotMoments(all, channel, 4);
    const { ys, mean, variance, parts: own } = jointBatchNormalize(xs);
    expectClose(await mean.data(), expected.mean, 1e-6, 'mean');
    // The means of the parts lie 0.1 apart at most, and are rounded to 5e-4.
    expectClose(await variance.data(), expected.variance, 1e-4, 'variance');
    tf.dispose([xs, ys, mean, variance, ...own.flatMap((part) => [part.mean, part.variance])]);
  });

  test('several tensors leak nothing, forward or backward', async () => {
    const random = seededRandom(43);
    await expectNoLeaks(tf, async () => {
      const inputs = [
        tf.tensor(random.normals(40), [5, 2, 4]),
        tf.tensor(random.normals(12), [3, 4]),
        tf.ones([2, 4]),
      ];
      const op = ([a, b, gamma]: tf.Tensor[]) => jointBatchNormalize([a!, b!], { gamma });
      const dys = [random.normals(40), random.normals(12), random.normals(4)];
      await run((all) => [...op(all).ys, op(all).mean], inputs, dys);
      const { ys, mean, variance, parts } = op(inputs);
      tf.dispose([inputs, ys, mean, variance, ...parts.flatMap((part) => [part.mean, part.variance])]);
    });
  });
}
