import { batchMoments, batchNormalize, normalize } from '@rebatch/core';
import {
  expectClose,
  expectNoLeaks,
  referenceBatchNorm,
  referenceBatchNormGradients,
  referenceMoments,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import './index.ts';

const random = seededRandom(17);

// The ops' own suite runs on every backend's composed ops; this one is about the contract between ops and kernels.
describe.each([
  { shape: [6, 5, 4, 3], axis: -1, groups: 2, layout: { outer: 120, channels: 3, inner: 1, groups: 2 } },
  { shape: [4, 17, 6, 6], axis: 1, groups: 1, layout: { outer: 4, channels: 17, inner: 36, groups: 1 } },
  { shape: [32, 8], axis: -1, groups: 1, layout: { outer: 32, channels: 8, inner: 1, groups: 1 } },
])("core's ops on these kernels: $shape, axis $axis, groups $groups", ({ shape, axis, groups, layout }) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const [values, upstream] = [random.normals(size, 2, 3), random.normals(size)];
  const [scale, offset] = [random.normals(layout.channels, 1), random.normals(layout.channels)];
  const options = groups === 1 ? { axis } : { axis, groups };
  const epsilon = 1e-3;

  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  const gradients = () =>
    tf.tidy(() => {
      const inputs = [tf.tensor(values, shape), tf.tensor1d(scale), tf.tensor1d(offset)];
      const op = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
        batchNormalize(x, { ...options, gamma: gamma as tf.Tensor1D, beta: beta as tf.Tensor1D, epsilon }).y;
      const { value, grads } = tf.valueAndGrads(op)(inputs, tf.tensor(upstream, shape));
      return [value, ...grads].map((tensor) => tensor.dataSync());
    });

  it('computes values and gradients as float64 loops do', () => {
    const [y, dx, dgamma, dbeta] = gradients();
    const expected = referenceBatchNormGradients(values, upstream, layout, { gamma: scale, epsilon });
    expectClose(y!, referenceBatchNorm(values, layout, { gamma: scale, beta: offset, epsilon }), 1e-5, 'y');
    expectClose(dx!, expected.dx, 1e-5, 'dx');
    expectClose(dgamma!, expected.dgamma, 1e-5, 'dgamma');
    expectClose(dbeta!, expected.dbeta, 1e-5, 'dbeta');
  });

  it('runs each kernel once, and nothing else that is as large as x', async () => {
    const { kernels } = await tf.profile(() => {
      gradients();
    });
    const large = kernels.filter(({ outputShapes }) =>
      outputShapes.some((s) => s.reduce((a, b) => a * b, 1) === size),
    );
    const names = large
      .map(({ name }) => name)
      .filter((name) => name.startsWith('Rebatch') || /Mul|Sub|Div/.test(name));
    expect(names).toEqual(['RebatchNormalize', 'RebatchBackwardInput']);
    const reductions = kernels.map(({ name }) => name).filter((name) => /Moments|Reduce/.test(name));
    expect(reductions).toEqual(['RebatchMoments', 'RebatchBackwardReduce']);
  });

  it('normalizes by given moments, and leaks nothing', async () => {
    await expectNoLeaks(tf, gradients);
    const { mean, variance } = referenceMoments(values, layout);
    tf.tidy(() => {
      const x = tf.tensor(values, shape);
      const moments = batchMoments(x, options);
      expectClose(moments.mean.dataSync(), mean, 1e-6, 'mean');
      expectClose(moments.variance.dataSync(), variance, 1e-6, 'variance');
      const y = normalize(x, moments, { ...options, epsilon });
      expectClose(y.dataSync(), referenceBatchNorm(values, layout, { epsilon }), 1e-5, 'y');
    });
  });
});
