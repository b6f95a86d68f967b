// Which kernels core's ops run on this backend. What they compute is tested in conformance.test.ts.
import { batchNormalize } from '@rebatch/core';
import { KERNELS } from '@rebatch/core/kernels';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import './index.ts';

const random = seededRandom(17);
// The first two share memory; the last is a custom gradient as a whole, what runs inside of it has entries of its own.
const FREE = ['Identity', 'Reshape', 'unnamed scope'];

describe.each([
  { shape: [6, 5, 4, 3], axis: -1, groups: 2, channels: 3 },
  { shape: [4, 17, 6, 6], axis: 1, groups: 1, channels: 17 },
  { shape: [32, 8], axis: -1, groups: 1, channels: 8 },
])("core's ops on these kernels: $shape, axis $axis, groups $groups", ({ shape, axis, groups, channels }) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const [values, upstream] = [random.normals(size, 2, 3), random.normals(size)];
  const [scale, offset] = [random.normals(channels, 1), random.normals(channels)];
  const options = { axis, ...(groups > 1 && { groups }) };

  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it('runs each kernel once, and nothing else that is as large as x', async () => {
    const inputs = [tf.tensor(values, shape), tf.tensor1d(scale), tf.tensor1d(offset)];
    const dy = tf.tensor(upstream, shape);
    const { kernels } = await tf.profile(() => {
      const op = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
        batchNormalize(x, { ...options, gamma, beta }).y;
      tf.dispose(tf.valueAndGrads(op)(inputs, dy));
    });
    tf.dispose([inputs, dy]);
    const ran = kernels.filter(({ name }) => !FREE.includes(name));
    // An op that only reads x, such as a sum, has it among its inputs.
    const large = ran.filter(({ inputShapes, outputShapes }) =>
      [...inputShapes, ...outputShapes].some((s) => s?.reduce((a, b) => a * b, 1) === size),
    );
    expect(large.map(({ name }) => name)).toEqual([KERNELS.moments, KERNELS.normalize, KERNELS.backward]);
  });
});
