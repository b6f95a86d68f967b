import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KernelInputError } from '../index.ts';
import { runKernel, sizeOf, upstreamValues } from '../upstream.test.support.ts';
import { type Convolution, convolutions, outputShape, reference } from './reference.test.support.ts';

const random = seededRandom(11);

function dataFor(convolution: Convolution, depthwise: boolean) {
  const shapes = [convolution.shape, convolution.filter, outputShape(convolution, depthwise)];
  const values = shapes.map((shape) => random.normals(sizeOf(shape)));
  const [x, w, dy] = values.map((data, i) => tf.tensor(data, shapes[i]!));
  return { values, tensors: { x: x!, w: w!, dy: dy! } };
}

function check(convolution: Convolution, depthwise: boolean) {
  tf.tidy(() => {
    const { values, tensors } = dataFor(convolution, depthwise);
    const { x, w, dy } = tensors;
    const expected = reference(convolution, depthwise, values[0]!, values[1]!, values[2]!);
    const { shape, filter, ...rest } = convolution;
    const attributes = { ...rest, dataFormat: 'NHWC', dimRoundingMode: 'floor' };
    const kernel = depthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
    const run = (name: string, inputs: Record<string, tf.Tensor>, extra: object) =>
      runKernel(name, inputs, { ...attributes, ...extra });
    if (!depthwise) {
      const y = run(kernel, { x, filter: w }, {});
      expect(y.shape).toEqual(dy.shape);
      expectClose(y.dataSync(), expected.y, 1e-6, 'y');
    }
    const dw = run(`${kernel}BackpropFilter`, { x, dy }, { filterShape: filter });
    expect(dw.shape).toEqual(filter);
    expectClose(dw.dataSync(), expected.filter, 1e-6, 'filter gradient');
    const dx = run(`${kernel}BackpropInput`, { dy, filter: w }, { inputShape: shape });
    expect(dx.shape).toEqual(shape);
    expectClose(dx.dataSync(), expected.input, 1e-6, 'input gradient');
  });
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('convolutions against a float64 loop', () => {
  it.each([
    ['conv2d', false],
    ['depthwiseConv2d', true],
  ])('%s, any stride, padding, dilation and channel count', (_, depthwise) => {
    fc.assert(
      fc.property(convolutions(depthwise), (convolution) => check(convolution, depthwise)),
      { numRuns: 150 },
    );
  });

  it.each<Convolution>([
    // More output positions than one tile takes, with a rest; many images in a tile; one position per image.
    { shape: [2, 29, 31, 16], filter: [3, 3, 16, 12], strides: [1, 1], pad: 'same', dilations: [1, 1] },
    { shape: [37, 5, 5, 3], filter: [3, 3, 3, 7], strides: [2, 1], pad: 'same', dilations: [1, 1] },
    { shape: [70, 3, 3, 9], filter: [3, 3, 9, 5], strides: [1, 1], pad: 'valid', dilations: [1, 1] },
    { shape: [1, 9, 9, 100], filter: [5, 5, 100, 7], strides: [1, 1], pad: 'same', dilations: [1, 1] },
  ])('conv2d, larger: %o', (convolution) => check(convolution, false));
});

describe('tf.fused.conv2d', () => {
  const convolution: Convolution = {
    shape: [2, 7, 6, 3],
    filter: [3, 2, 3, 5],
    strides: [1, 1],
    pad: 'same',
    dilations: [1, 1],
  };

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const)(
    'adds a bias and applies %s as upstream does',
    (activation) => {
      tf.tidy(() => {
        const { x, w } = dataFor(convolution, false).tensors;
        for (const bias of [tf.tensor1d(random.normals(5)), tf.tensor1d([0.5]), undefined]) {
          const inputs = {
            x,
            filter: w,
            ...(bias && { bias }),
            ...(activation === 'prelu' && { preluActivationWeights: tf.tensor1d(random.normals(5)) }),
          };
          const attributes = { ...convolution, dataFormat: 'NHWC', activation, leakyreluAlpha: 0.3 };
          const y = runKernel('FusedConv2D', inputs, attributes).dataSync();
          expectClose(y, upstreamValues('FusedConv2D', inputs, attributes), 1e-6, activation);
        }
      });
    },
  );
});

describe('through automatic differentiation', () => {
  it.each([
    ['conv2d', tf.conv2d, false],
    ['depthwiseConv2d', tf.depthwiseConv2d, true],
  ])('differentiates tf.%s, and leaks nothing', async (_, op, depthwise) => {
    const convolution: Convolution = {
      shape: [2, 9, 8, 3],
      filter: [3, 3, 3, 2],
      strides: [2, 2],
      pad: 'same',
      dilations: [1, 1],
    };
    await expectNoLeaks(tf, () => {
      tf.tidy(() => {
        const { values, tensors } = dataFor(convolution, depthwise);
        const expected = reference(convolution, depthwise, values[0]!, values[1]!, values[2]!);
        const y = (x: tf.Tensor, w: tf.Tensor) => op(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same');
        const [dx, dw] = tf.grads(y)([tensors.x, tensors.w], tensors.dy as tf.Tensor4D);
        expectClose(dx!.dataSync(), expected.input, 1e-6, 'input gradient');
        expectClose(dw!.dataSync(), expected.filter, 1e-6, 'filter gradient');
      });
    });
  });
});

describe('what the kernels do not do', () => {
  it('leaves NCHW to upstream', () => {
    tf.tidy(() => {
      const x = tf.tensor(random.normals(50), [1, 2, 5, 5]);
      const w = tf.tensor(random.normals(72), [3, 3, 2, 4]);
      const dy = tf.tensor(random.normals(100), [1, 4, 5, 5]);
      const attributes = { strides: [1, 1], pad: 'same', dataFormat: 'NCHW', dilations: [1, 1] };
      const cases = [
        ['Conv2D', { x, filter: w }, {}],
        ['FusedConv2D', { x, filter: w }, { activation: 'relu' }],
        ['Conv2DBackpropFilter', { x, dy }, { filterShape: w.shape }],
        ['Conv2DBackpropInput', { dy, filter: w }, { inputShape: x.shape }],
      ] as const;
      for (const [name, inputs, extra] of cases) {
        const all = { ...attributes, ...extra };
        expect([...runKernel(name, inputs, all).dataSync()]).toEqual([...upstreamValues(name, inputs, all)]);
      }
    });
  });

  it('refuses sizes that do not fit, and leaves nothing behind', () => {
    const x = tf.zeros([1, 4, 4, 2]);
    const flat = tf.zeros([4, 2]);
    const before = tf.memory().numTensors;
    const attributes = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: [3, 3, 2, 5] };
    const run = (inputs: Record<string, tf.Tensor>) => () =>
      runKernel('Conv2DBackpropFilter', inputs, attributes);
    expect(run({ x, dy: x })).toThrow(KernelInputError);
    expect(run({ x, dy: x })).toThrow(/Conv2DBackpropFilter: expected dy to hold 80 values, got shape/);
    expect(run({ x })).toThrow(/expected an input named dy, got none/);
    expect(run({ x: flat, dy: x })).toThrow(/rank 4/);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, flat]);
  });
});
