// What TensorFlow.js's WASM backend gets wrong or lacks, in the smallest numbers that show it. Any shape: see
// packages/internal/upstream.
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
// For the gradients of the ops, which tfjs-core alone does not register.
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { KernelInputError } from './index.ts';

beforeAll(() => tf.setBackend('wasm'));

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());
const gradient = (op: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, dy?: tf.Tensor) =>
  values(tf.grad(op)(x, dy as tf.Tensor));

const CASES: Readonly<Record<string, readonly [run: () => number[], right: readonly number[]]>> = {
  'maxPool3d of negative values': [
    () => values(tf.maxPool3d(tf.tensor5d([-1, -2, -3, -4, -5, -6, -7, -8], [1, 2, 2, 2, 1]), 2, 2, 'valid')),
    [-1],
  ],
  'gradient of maxPool3d of negative values': [
    () =>
      gradient(
        (x) => tf.maxPool3d(x as tf.Tensor5D, [1, 1, 2], 2, 'valid'),
        tf.tensor([-2, -1], [1, 1, 1, 2, 1]),
      ),
    [0, 1],
  ],
  'gradient of maxPool of negative values': [
    () =>
      gradient((x) => tf.maxPool(x as tf.Tensor4D, [1, 2], 2, 'valid'), tf.tensor([-2, -1], [1, 1, 2, 1])),
    [0, 1],
  ],
  'gradient of avgPool at the edge': [
    () => gradient((x) => tf.avgPool(x as tf.Tensor4D, 2, 1, 'same'), tf.zeros([1, 2, 2, 1])),
    [0.25, 0.75, 0.75, 2.25],
  ],
  'gradient of avgPool3d at the edge': [
    () => gradient((x) => tf.avgPool3d(x as tf.Tensor5D, [1, 2, 2], 1, 'same'), tf.zeros([1, 1, 2, 2, 1])),
    [0.25, 0.75, 0.75, 2.25],
  ],
  'conv2d whose strides leave nothing to pad': [
    () => values(tf.conv2d(tf.ones<tf.Rank.R4>([1, 6, 6, 1]), tf.ones([2, 2, 1, 1]), 3, 'same')),
    [4, 4, 4, 4],
  ],
  'conv2d padded by a number, with a window that is not square': [
    () => values(tf.conv2d(tf.ones<tf.Rank.R4>([1, 1, 4, 1]), tf.ones([1, 2, 1, 1]), 1, 0)),
    [2, 2, 2, 1],
  ],
  'gradient of a conv3d with strides': [
    () =>
      gradient(
        (x) => tf.conv3d(x as tf.Tensor5D, tf.ones([1, 1, 1, 1, 1]), 2, 'valid'),
        tf.zeros([1, 1, 1, 4, 1]),
      ),
    [1, 0, 1, 0],
  ],
  'gradient of an image resized with half-pixel centers': [
    () =>
      gradient((x) => tf.image.resizeBilinear(x as tf.Tensor4D, [1, 4], false, true), tf.zeros([1, 1, 2, 1])),
    [2, 2],
  ],
  'gradient of one pixel resized with aligned corners': [
    () =>
      gradient((x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [3, 2], true), tf.zeros([1, 1, 1, 1])),
    [6],
  ],
  'gradient of gather': [() => gradient((x) => tf.gather(x, [2, 0, 2]), tf.zeros([3, 1])), [1, 0, 2]],
  'prelu with a slope per row': [
    () =>
      values(
        tf.prelu(
          tf.tensor2d([
            [-1, -1],
            [-1, -1],
          ]),
          tf.tensor2d([[2], [4]]),
        ),
      ),
    [-2, -2, -4, -4],
  ],
  'tf.fused.matMul of a batch with a bias': [
    () =>
      values(tf.fused.matMul({ a: tf.zeros([2, 2, 1]), b: tf.zeros([2, 1, 2]), bias: tf.tensor1d([1, 2]) })),
    [1, 2, 1, 2, 1, 2, 1, 2],
  ],
  'tf.fused.matMul of a transposed matrix with a bias': [
    () =>
      values(
        tf.fused.matMul({
          a: tf.zeros([2, 1]),
          b: tf.zeros([2, 1]),
          transposeB: true,
          bias: tf.tensor1d([1, 2]),
        }),
      ),
    [1, 2, 1, 2],
  ],
  'tf.fused.matMul of a batch with a bias and a leaky relu': [
    () =>
      values(
        tf.fused.matMul({
          a: tf.zeros([2, 2, 1]),
          b: tf.zeros([2, 1, 2]),
          bias: tf.tensor1d([1, -2]),
          activation: 'leakyrelu',
          leakyreluAlpha: 0.5,
        }),
      ),
    [1, -1, 1, -1, 1, -1, 1, -1],
  ],
  'tf.fused.matMul of a batch with a bias and a slope for each row': [
    () =>
      values(
        tf.fused.matMul({
          a: tf.zeros([2, 2, 1]),
          b: tf.zeros([2, 1, 2]),
          bias: tf.tensor1d([1, -2]),
          activation: 'prelu',
          preluActivationWeights: tf.tensor2d([0.5, 3], [2, 1]),
        }),
      ),
    [1, -1, 1, -6, 1, -1, 1, -6],
  ],
  'clipByValue of what is no number': [
    () => values(tf.clipByValue(tf.tensor1d([Number.NaN, -5, 5, 0.5, -0.5]), -1, 1)),
    [Number.NaN, -1, 1, 0.5, -0.5],
  ],
  'relu6 of what is no number': [
    () => values(tf.relu6(tf.tensor1d([Number.NaN, -5, 9, 0.5, 6]))),
    [Number.NaN, 0, 6, 0.5, 6],
  ],
  'cast to bool': [
    () => values(tf.cast(tf.tensor1d([-1, 0, 0.5, 2, 256, Number.NaN]), 'bool')),
    [1, 0, 1, 1, 1, 1],
  ],
  'clipByValue of whole numbers': [
    () => values(tf.clipByValue(tf.tensor1d([-9, 1, 9], 'int32'), -2, 3)),
    [-2, 1, 3],
  ],
  'oneHot of float32': [
    () => values(tf.oneHot(tf.tensor1d([1, 0], 'int32'), 2, 1, 0, 'float32')),
    [0, 1, 1, 0],
  ],
  'oneHot of bool': [() => values(tf.oneHot(tf.tensor1d([1, 5], 'int32'), 2, 1, 0, 'bool')), [0, 1, 0, 0]],
  'reverse of bools': [() => values(tf.reverse(tf.tensor1d([1, 1, 0], 'bool'))), [0, 1, 1]],
};

describe.each(Object.entries(CASES))('%s', (_, [run, right]) => {
  it('is right, and leaks nothing', async () => {
    expect(tf.tidy(run)).toEqual(right);
    await expectNoLeaks(tf, () => tf.tidy(run));
  });
});

it('sums many slices of a segment without losing digits, and passes over ids that are none', () => {
  tf.tidy(() => {
    const x = seededRandom(5).normals(60_000, 1000, 1);
    const ids = Int32Array.from({ length: 20_000 }, (_, i) => [0, 3, -1, 9][i % 4]!);
    const sums = tf.unsortedSegmentSum(tf.tensor2d(x, [20_000, 3]), tf.tensor1d(ids, 'int32'), 4);
    const expected = new Float64Array(12);
    ids.forEach((id, row) => {
      if (id < 0 || id > 3) return;
      for (let i = 0; i < 3; i++) expected[id * 3 + i]! += x[row * 3 + i]!;
    });
    expectClose(sums.dataSync(), expected, 1e-7);
  });
});

describe('what does not fit is refused', () => {
  const run = (name: string, inputs: tf.NamedTensorMap, attributes: object) => () =>
    tf.engine().runKernel(name, inputs, attributes as never);

  it.each([
    ['AvgPoolGrad', { dy: [1, 2, 2, 1], input: [4, 4] }, { filterSize: 2, strides: 2, pad: 'valid' }],
    [
      'AvgPool3DGrad',
      { dy: [1, 3, 3, 3, 1], input: [1, 4, 4, 4, 1] },
      { filterSize: 2, strides: 2, pad: 'valid' },
    ],
    ['MaxPool3D', { x: [4, 4, 4] }, { filterSize: 2, strides: 2, pad: 'valid' }],
    ['Conv3DBackpropFilterV2', { x: [1, 4, 4, 1], dy: [1, 4, 4, 1] }, { strides: 1, pad: 'same' }],
    [
      'Conv3DBackpropInputV2',
      { dy: [1, 4, 4, 4, 2], filter: [2, 2, 2, 1, 3] },
      { strides: 1, pad: 'same', inputShape: [1, 4, 4, 4, 1] },
    ],
    ['ResizeBilinearGrad', { dy: [1, 4, 4, 1], images: [4, 4] }, {}],
    ['UnsortedSegmentSum', { x: [3, 2], segmentIds: [3, 2] }, { numSegments: 2 }],
  ])('%s', (name, shapes, attributes) => {
    tf.tidy(() => {
      const inputs = Object.fromEntries(
        Object.entries(shapes as Record<string, number[]>).map(([key, shape]) => [key, tf.zeros(shape)]),
      );
      expect(run(name as string, inputs, attributes as object)).toThrow(KernelInputError);
    });
  });
});
