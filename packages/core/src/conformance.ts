// The suite that every backend must pass, with composed ops or with kernels: the same tests run in Node on cpu and
// wasm, in a browser on webgl and webgpu, and in each kernel package. Not published.
import {
  expectClose,
  expectNoLeaks,
  type Layout,
  referenceBatchNorm,
  referenceBatchNormGradients,
  referenceMoments,
  referenceNormalize,
  type SeededRandom,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
// For its side effect: it registers the gradients of TensorFlow.js's own ops.
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { batchMoments } from './batch-moments.ts';
import { batchNormalize } from './batch-normalize.ts';
import { viewChannels } from './channel-view.ts';
import { describeJoint } from './conformance-joint.ts';
import { describeParts } from './conformance-part.ts';
import { describeSegments } from './conformance-segments.ts';
import { type NormalizeOptions, normalize } from './normalize.ts';
import { normalizePacked, packedBatchMoments } from './packed.ts';
import { readMoments } from './read-moments.ts';

const TOLERANCE = 1e-5;

interface Case {
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
const CASES = Array.from({ length: 40 }, (_, i) => randomCase(random, i));
/** Shapes as CNNs have them, with channel counts that no vector width divides. */
const LARGE: Case[] = [
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

/** Declares the suite for the backend that `prepare` selects. */
export function describeConformance(name: string, prepare: () => Promise<unknown>): void {
  describe(`@rebatch/core on ${name}`, () => {
    beforeAll(async () => {
      await prepare();
      await tf.ready();
    });

    test.each([...CASES, ...LARGE])('$title: moments, values and gradients', async (c) => {
      const tensors = load(c);
      try {
        const moments = batchMoments(tensors.x, c.options);
        const expected = referenceMoments(c.x, c.layout);
        expect(moments.count).toBe(expected.count);
        expect(moments.mean.shape).toEqual(
          c.options.groups === undefined ? [c.layout.channels] : [c.options.groups, c.layout.channels],
        );
        expectClose(await moments.mean.data(), expected.mean, TOLERANCE, 'mean');
        expectClose(await moments.variance.data(), expected.variance, TOLERANCE, 'variance');

        const out = batchNormalize(tensors.x, { ...c.options, ...tensors.affine });
        expect(out.y.shape).toEqual(c.shape);
        expectClose(await out.y.data(), referenceBatchNorm(c.x, c.layout, affine(c)), TOLERANCE, 'y');
        expectClose(await out.variance.data(), expected.variance, TOLERANCE, 'returned variance');

        const packed = packedBatchMoments(tensors.x, c.options);
        expect(packed.shape).toEqual([2, c.options.groups ?? 1, c.layout.channels]);
        const both = [...expected.mean, ...expected.variance];
        expectClose(await packed.data(), both, TOLERANCE, 'packed moments');
        const same = normalizePacked(tensors.x, packed, { ...c.options, ...tensors.affine });
        expect(same.shape).toEqual(c.shape);
        expectClose(
          await same.data(),
          referenceBatchNorm(c.x, c.layout, affine(c)),
          TOLERANCE,
          'y by packed',
        );
        tf.dispose([packed, same]);

        const gradients = await gradientsOf(
          tensors,
          (options) => batchNormalize(tensors.x, options).y,
          c.options,
        );
        const reference = referenceBatchNormGradients(c.x, c.dy, c.layout, affine(c));
        expectClose(gradients.dx, reference.dx, TOLERANCE, 'dx');
        if (gradients.dgamma) expectClose(gradients.dgamma, reference.dgamma, TOLERANCE, 'dgamma');
        if (gradients.dbeta) expectClose(gradients.dbeta, reference.dbeta, TOLERANCE, 'dbeta');
        tf.dispose([moments.mean, moments.variance, out.y, out.mean, out.variance]);
      } finally {
        tf.dispose(tensors.all);
      }
    });

    test.each([...CASES.slice(0, 12), ...LARGE])('$title: normalize by given moments', async (c) => {
      const tensors = load(c);
      const slots = c.layout.groups * c.layout.channels;
      const own = seededRandom(slots);
      const mean = own.normals(slots);
      const variance = own.normals(slots).map((v) => v * v + 0.1);
      const shape = c.options.groups === undefined ? [slots] : [c.options.groups, c.layout.channels];
      const given = { mean: tf.tensor(mean, shape), variance: tf.tensor(variance, shape) };
      try {
        const y = normalize(tensors.x, given, { ...c.options, ...tensors.affine });
        const moments = { mean, variance };
        expectClose(await y.data(), referenceNormalize(c.x, c.layout, moments, affine(c)), TOLERANCE, 'y');
        y.dispose();
        const gradients = await gradientsOf(
          tensors,
          (options) => normalize(tensors.x, given, options),
          c.options,
        );
        const slope = { ...affine(c), beta: undefined };
        const still = { mean: new Float32Array(slots), variance };
        expectClose(gradients.dx, referenceNormalize(c.dy, c.layout, still, slope as never), TOLERANCE, 'dx');
        const xhat = referenceNormalize(c.x, c.layout, moments, { epsilon: c.options.epsilon });
        const { dgamma, dbeta } = perChannelSums(c, xhat);
        if (gradients.dgamma) expectClose(gradients.dgamma, dgamma, TOLERANCE, 'dgamma');
        if (gradients.dbeta) expectClose(gradients.dbeta, dbeta, TOLERANCE, 'dbeta');
      } finally {
        tf.dispose([tensors.all, given]);
      }
    });

    test.each([
      { shape: [5000, 6], axis: 1 },
      { shape: [16, 12, 12, 5], axis: 3 },
      { shape: [12, 5, 13, 13], axis: 1 },
    ])('a mean of 1e4 standard deviations leaves the moments exact: $shape', async ({ shape, axis }) => {
      const layout = viewChannels(shape, { axis });
      const x = seededRandom(7).normals(
        shape.reduce((a, b) => a * b, 1),
        1e4,
        1,
      );
      const tensor = tf.tensor(x, shape);
      const moments = batchMoments(tensor, { axis });
      const expected = referenceMoments(x, layout);
      expectClose(await moments.mean.data(), expected.mean, 1e-6, 'mean');
      expectClose(await moments.variance.data(), expected.variance, 1e-6, 'variance');
      tf.dispose([tensor, moments.mean, moments.variance]);
    });

    test('normalizing keeps its digits at a mean of 1e4 standard deviations', async () => {
      const x = seededRandom(10).normals(4000, 1e4, 1);
      const given = { mean: [1e4, 1e4 + 1, 1e4, 1e4], variance: [1, 0.5, 2, 1] };
      const layout = { outer: 1000, channels: 4, inner: 1, groups: 1 };
      const tensors = [
        tf.tensor(x, [1000, 4]),
        tf.tensor1d(given.mean),
        tf.tensor1d(given.variance),
      ] as const;
      const y = normalize(tensors[0], { mean: tensors[1], variance: tensors[2] });
      expectClose(await y.data(), referenceNormalize(x, layout, given, { epsilon: 1e-3 }), TOLERANCE);
      tf.dispose([...tensors, y]);
    });

    test.each([1, 7, 31, 100])(
      'one outlier, wherever it is in its channel, does not cost the moments their digits (inner = %i)',
      async (inner) => {
        for (const [c, channels] of [1, 3, 4, 17, 64].entries()) {
          const outer = Math.ceil(1500 / inner);
          const count = outer * inner;
          const layout = { outer, channels, inner, groups: 1 };
          for (const at of [0, 3, Math.floor(count / 2), count - 1]) {
            const [outlier, mean, deviation] = c % 2 ? [1e6, 5, 0.01] : [12345.678, 0.1, 0.001];
            const x = seededRandom(8).normals(count * channels, mean, deviation);
            for (let channel = 0; channel < channels; channel++) {
              x[(Math.floor(at / inner) * channels + channel) * inner + (at % inner)] = outlier!;
            }
            const tensor = tf.tensor(x, [outer, channels, inner]);
            const moments = batchMoments(tensor, { axis: 1 });
            const expected = referenceMoments(x, layout);
            const where = `of ${channels} channels, outlier at ${at} of ${count}`;
            expectClose(await moments.mean.data(), expected.mean, 1e-6, `mean ${where}`);
            expectClose(await moments.variance.data(), expected.variance, 1e-6, `variance ${where}`);
            tf.dispose([tensor, moments.mean, moments.variance]);
          }
        }
      },
    );

    test('a constant channel has its mean and no variance', async () => {
      const tensor = tf.fill([1000, 3], 0.1);
      const moments = batchMoments(tensor);
      expectClose(await moments.mean.data(), [0.1, 0.1, 0.1], 1e-7);
      for (const v of await moments.variance.data()) expect(Math.abs(v)).toBeLessThan(1e-14);
      tf.dispose([tensor, moments.mean, moments.variance]);
    });

    test('the moments themselves are differentiable', async () => {
      const x = seededRandom(9).normals(60, 1, 2);
      const layout = { outer: 20, channels: 3, inner: 1, groups: 1 };
      const weights = [0.3, -1, 2];
      const tensor = tf.tensor(x, [20, 3]);
      const dx = tf.grad((input: tf.Tensor) => {
        const { mean, variance } = batchMoments(input);
        return tf.sum(tf.mul(tf.add(tf.square(mean), variance), weights));
      })(tensor);
      // d/dx of sum(w (mean^2 + variance)) = 2 w (mean + x - mean) / n = 2 w x / n.
      const expected = Array.from(x, (v, i) => (2 * weights[i % 3]! * v) / layout.outer);
      expectClose(await dx.data(), expected, TOLERANCE);
      tf.dispose([tensor, dx]);
    });

    test('many layers are read at once, and an entry may have groups', async () => {
      const a = seededRandom(1).normals(48, 2);
      const b = seededRandom(2).normals(40);
      const x = [tf.tensor(a, [4, 4, 3]), tf.tensor(b, [8, 5])] as const;
      const entries = [batchMoments(x[0]), batchMoments(x[1], { groups: 2 })];
      const read = vi.spyOn(tf.backend(), 'read');
      const pending = readMoments(entries);
      tf.dispose(entries.flatMap(({ mean, variance }) => [mean, variance]));
      const [first, second] = await pending;
      expect(read).toHaveBeenCalledTimes(1);
      read.mockRestore();
      const all = referenceMoments(a, { outer: 16, channels: 3, inner: 1, groups: 1 });
      expect(first).toHaveLength(1);
      expect(first![0]!.count).toBe(16);
      expectClose(first![0]!.mean, all.mean, TOLERANCE);
      expectClose(first![0]!.variance, all.variance, TOLERANCE);
      const halves = referenceMoments(b, { outer: 8, channels: 5, inner: 1, groups: 2 });
      expect(second).toHaveLength(2);
      expectClose(second![1]!.mean, halves.mean.slice(5), TOLERANCE);
      expectClose(second![1]!.variance, halves.variance.slice(5), TOLERANCE);
      tf.dispose([...x]);
    });

    test('NaN and Infinity show in the moments of their channel only', async () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const values = seededRandom(3).normals(200);
        values[101] = bad;
        const tensor = tf.tensor(values, [100, 2]);
        const moments = batchMoments(tensor);
        const [even, odd] = await moments.variance.data();
        expect(Number.isFinite(even)).toBe(true);
        expect(Number.isFinite(odd)).toBe(false);
        tf.dispose([tensor, moments.mean, moments.variance]);
      }
    });

    test('nothing leaks, forward or backward', async () => {
      const c = LARGE[1]!;
      await expectNoLeaks(tf, async () => {
        const tensors = load(c);
        const moments = batchMoments(tensors.x, c.options);
        const out = batchNormalize(tensors.x, { ...c.options, ...tensors.affine });
        const same = normalize(tensors.x, moments, { ...c.options, ...tensors.affine });
        const packed = packedBatchMoments(tensors.x, c.options);
        tf.dispose([packed, normalizePacked(tensors.x, packed, { ...c.options, ...tensors.affine })]);
        await readMoments([moments, out]);
        await gradientsOf(tensors, (options) => batchNormalize(tensors.x, options).y, c.options);
        await gradientsOf(tensors, (options) => normalize(tensors.x, moments, options), c.options);
        const dx = tf.grad((x: tf.Tensor) => tf.sum(batchMoments(x).variance))(tensors.x);
        tf.dispose([tensors.all, moments.mean, moments.variance, out.y, out.mean, out.variance, same, dx]);
      });
    });

    describeSegments();
    describeJoint();
    describeParts();
  });
}

function load(c: Case) {
  const x = tf.tensor(c.x, c.shape);
  const dy = tf.tensor(c.dy, c.shape);
  const gamma = c.gamma && tf.tensor1d(c.gamma);
  const beta = c.beta && tf.tensor1d(c.beta);
  const all = [x, dy, gamma, beta].filter((t): t is tf.Tensor => t !== undefined);
  return { x, dy, gamma, beta, all, affine: { gamma, beta } };
}

function affine({ gamma, beta, options }: Case) {
  return { epsilon: options.epsilon, ...(gamma ? { gamma } : {}), ...(beta ? { beta } : {}) };
}

async function gradientsOf(
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

function perChannelSums({ dy, layout }: Case, xhat: Float64Array) {
  const dgamma = new Float64Array(layout.channels);
  const dbeta = new Float64Array(layout.channels);
  for (let i = 0; i < dy.length; i++) {
    const channel = Math.floor(i / layout.inner) % layout.channels;
    dgamma[channel]! += dy[i]! * xhat[i]!;
    dbeta[channel]! += dy[i]!;
  }
  return { dgamma, dbeta };
}
