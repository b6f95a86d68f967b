// The kernel of all gradients, against those of its parts; and the parts on tensors that no cache holds, which are walked
// through in other ways than small ones.
import { runKernel } from '@rebatch/core/kernels';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import '../index.ts';

const random = seededRandom(5);

beforeAll(async () => {
  await tf.setBackend('wasm');
});

describe('all gradients at once', () => {
  // Lanes and runs; one group and several, consecutive ones and those that ids tell, of which one is empty.
  const layouts = [
    { outer: 12, channels: 5, inner: 1, groups: 1 },
    { outer: 12, channels: 16, inner: 3, groups: 4 },
    { outer: 6, channels: 3, inner: 50, groups: 2 },
    { outer: 12, channels: 8, inner: 1, groups: 4, ids: [3, 0, 0, 1, 3, 0] },
    { outer: 12, channels: 3, inner: 40, groups: 3, ids: [2, -1, 0, 2] },
  ];
  const cases = layouts.flatMap(({ ids, ...view }) =>
    (['none', 'channel', 'group'] as const).flatMap((affine) =>
      (['no', 'one', 'per group'] as const).map((gamma) => ({ view, ids, affine, gamma })),
    ),
  );

  it.each(cases)('are those of its parts: $view, ids $ids, $affine, $gamma gamma', async (one) => {
    const { view, affine, gamma: kind } = one;
    const { outer, channels, inner, groups } = view;
    const count = (outer / groups) * inner;
    const shape = [outer, channels, inner];
    const size = outer * channels * inner;
    await expectNoLeaks(tf, () => {
      tf.tidy(() => {
        const x = tf.tensor(random.normals(size, 1, 2), shape);
        const dy = tf.tensor(random.normals(size), shape);
        const weights = random.normals(groups * channels, 1, 0.3);
        const gamma =
          kind === 'no'
            ? undefined
            : kind === 'one'
              ? tf.tensor1d(weights.slice(0, channels))
              : tf.tensor2d(weights, [groups, channels]);
        const ids = one.ids && tf.tensor1d(one.ids, 'int32');
        const of = { dy, x, moments: runKernel('moments', { x, ids }, view) };
        const attributes = { ...view, epsilon: 1e-3 };
        const sums = runKernel('backwardReduce', { ...of, ids }, attributes).dataSync();
        const pulls = sums.map((sum, i) => {
          const slot = i % (groups * channels);
          const weight = kind === 'no' ? 1 : weights[kind === 'one' ? slot % channels : slot]!;
          return Math.fround(sum * Math.fround(weight)) / count;
        });
        const inputs = { ...of, gamma, ids, pulls: tf.tensor3d(pulls, [2, groups, channels]) };
        const expected = runKernel('backwardInput', inputs, attributes);
        const made = runKernel('backward', { ...of, gamma, ids }, { ...attributes, count, affine });
        expect(made.map((tensor) => tensor.shape)).toEqual([
          shape,
          ...{
            none: [],
            channel: [[channels], [channels]],
            group: [
              [groups, channels],
              [groups, channels],
            ],
          }[affine],
        ]);
        expect(made[0]!.dataSync()).toEqual(expected.dataSync());
        for (const [row, vector] of made.slice(1).entries()) {
          const own = [...sums].slice((1 - row) * groups * channels, (2 - row) * groups * channels);
          const total = (c: number) =>
            Math.fround(own.reduce((sum, value, i) => (i % channels === c ? sum + value : sum), 0));
          const vectors = affine === 'group' ? own : Array.from({ length: channels }, (_, c) => total(c));
          expect([...vector.dataSync()]).toEqual(vectors);
        }
      });
    });
  });
});

describe('tensors that no cache holds', () => {
  it.each([16, 64, 80, 256, 1028])('come to the same as plain loops, of %i channels', (channels) => {
    // A few rows more than four at a time.
    const rows = Math.ceil((1.1 * 2 ** 20) / channels / 4) * 4 + 3;
    const size = rows * channels;
    const values = Float32Array.from(random.normals(size, 3, 2));
    const upstream = Float32Array.from(random.normals(size));
    const weights = Float32Array.from(random.normals(channels, 1, 0.3));
    const view = { outer: rows, channels, inner: 1, groups: 1 };
    const attributes = { ...view, epsilon: 1e-3 };
    const [moments, y, dx, dgamma, dbeta] = tf.tidy(() => {
      const [x, dy, gamma] = [tf.tensor1d(values), tf.tensor1d(upstream), tf.tensor1d(weights)];
      const moments = runKernel('moments', { x }, view);
      const y = runKernel('normalize', { x, moments, gamma }, attributes);
      const gradients = runKernel(
        'backward',
        { dy, x, moments, gamma },
        { ...attributes, count: rows, affine: 'channel' },
      );
      return [moments, y, ...gradients].map((tensor) => tensor.dataSync());
    }) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];

    const mean = new Float64Array(channels);
    const variance = new Float64Array(channels);
    values.forEach((value, i) => {
      mean[i % channels]! += value / rows;
    });
    values.forEach((value, i) => {
      variance[i % channels]! += (value - mean[i % channels]!) ** 2 / rows;
    });
    expectClose(moments.subarray(0, channels), mean, 1e-6, 'mean');
    expectClose(moments.subarray(channels), variance, 1e-6, 'variance');
    const deviation = variance.map((value) => Math.sqrt(value + 1e-3));
    const xhat = (i: number) => (values[i]! - mean[i % channels]!) / deviation[i % channels]!;
    const sums = [new Float64Array(channels), new Float64Array(channels)] as const;
    upstream.forEach((value, i) => {
      sums[0][i % channels]! += value;
      sums[1][i % channels]! += value * xhat(i);
    });
    const bound = 1e-6 * rows;
    for (let c = 0; c < channels; c++) {
      expect(Math.abs(dbeta[c]! - sums[0][c]!)).toBeLessThan(bound);
      expect(Math.abs(dgamma[c]! - sums[1][c]!)).toBeLessThan(bound);
    }
    let [worstY, worstDx] = [0, 0];
    for (let i = 0; i < size; i++) {
      const c = i % channels;
      worstY = Math.max(worstY, Math.abs(y[i]! - xhat(i) * weights[c]!));
      const pulled = upstream[i]! - sums[0][c]! / rows - (xhat(i) * sums[1][c]!) / rows;
      worstDx = Math.max(worstDx, Math.abs(dx[i]! - (weights[c]! * pulled) / deviation[c]!));
    }
    expect(worstY).toBeLessThan(1e-5);
    expect(worstDx).toBeLessThan(1e-5);
  });
});
