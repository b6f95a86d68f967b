import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
// For the gradients of the ops, which tfjs-core alone does not register.
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureWasmKernels, KernelInputError } from './index.ts';

type Shape4D = [number, number, number, number];

interface Case {
  readonly shape: Shape4D;
  readonly filter: Shape4D;
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
  readonly dilations: [number, number];
}

const dimension = (max: number) => fc.integer({ min: 1, max });
const pair = (max: number) => fc.tuple(dimension(max), dimension(max));
const channels = fc.constantFrom(1, 2, 3, 4, 5, 8, 10, 16, 17, 33);
const explicit = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)).map(
  ([t, b, l, r]): tf.backend_util.ExplicitPadding => [
    [0, 0],
    [t, b],
    [l, r],
    [0, 0],
  ],
);

const cases = (outChannels: fc.Arbitrary<number>): fc.Arbitrary<Case> =>
  fc
    .record({
      size: fc.tuple(dimension(3), dimension(13), dimension(13), channels),
      window: pair(4),
      outChannels,
      strides: pair(3),
      pad: fc.oneof(fc.constantFrom('same' as const, 'valid' as const), fc.nat(2), explicit),
      dilations: pair(3),
    })
    .map(({ size, window, outChannels, ...rest }) => ({
      ...rest,
      shape: size as Shape4D,
      filter: [...window, size[3], outChannels] as Shape4D,
    }));

function outputShape({ shape, filter, strides, dilations, pad }: Case, depthwise: boolean): Shape4D {
  return tf.backend_util.computeConv2DInfo(shape, filter, strides, dilations, pad, 'floor', depthwise)
    .outShape as Shape4D;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Both gradients, by the kernels of one backend. */
async function gradients(
  backend: string,
  kernels: [string, string],
  test: Case,
  data: Float32Array[],
  out: Shape4D,
) {
  await tf.setBackend(backend);
  const { shape, filter, strides, pad, dilations } = test;
  return tf.tidy(() => {
    const [x, w, dy] = [tf.tensor(data[0]!, shape), tf.tensor(data[1]!, filter), tf.tensor(data[2]!, out)];
    const attributes = { strides, pad, dilations, dataFormat: 'NHWC', dimRoundingMode: 'floor' };
    const run = (kernel: string, inputs: tf.NamedTensorMap, extra: object) =>
      (tf.engine().runKernel(kernel, inputs, { ...attributes, ...extra } as never) as tf.Tensor).dataSync();
    return {
      filter: run(kernels[0], { x, dy }, { filterShape: filter }),
      input: run(kernels[1], { dy, filter: w }, { inputShape: shape }),
    };
  });
}

/** tfjs cpu knows no dilations in these gradients: spread the filter with zeros, then pick its taps back. */
function dilated({ filter, dilations: [dh, dw], ...rest }: Case): { test: Case; taps: number[] } {
  const [kh, kw, inner, outer] = filter;
  const spread: Shape4D = [(kh - 1) * dh + 1, (kw - 1) * dw + 1, inner, outer];
  const taps: number[] = [];
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      for (let k = 0; k < inner * outer; k++) taps.push((i * dh * spread[1] + j * dw) * inner * outer + k);
    }
  }
  return { test: { ...rest, filter: spread, dilations: [1, 1] }, taps };
}

async function check(test: Case, kernels: [string, string], depthwise: boolean) {
  const out = outputShape(test, depthwise);
  fc.pre(out.every((size) => size > 0));
  // The same numbers whenever a case is tried again.
  const random = seededRandom(11);
  const data = [test.shape, test.filter, out].map((shape) => random.normals(sizeOf(shape)));
  const reference = dilated(test);
  const wide = new Float32Array(sizeOf(reference.test.filter));
  reference.taps.forEach((to, from) => {
    wide[to] = data[1]![from]!;
  });
  const actual = await gradients('wasm', kernels, test, data, out);
  const expected = await gradients('cpu', kernels, reference.test, [data[0]!, wide, data[2]!], out);
  const filter = reference.taps.map((at) => expected.filter[at]!);
  expectClose(actual.filter, filter, 2e-5, 'filter gradient');
  expectClose(actual.input, expected.input, 2e-5, 'input gradient');
}

// Winograd's algorithm rounds more; winograd.test.ts holds it to its own bound.
beforeAll(() => void configureWasmKernels({ winograd: false }));
afterAll(() => void configureWasmKernels({ winograd: true }));

describe('convolution gradients against the cpu backend', () => {
  it('conv2d, any stride, padding, dilation and channel count', async () => {
    const kernels: [string, string] = ['Conv2DBackpropFilter', 'Conv2DBackpropInput'];
    await fc.assert(
      fc.asyncProperty(cases(channels), (test) => check(test, kernels, false)),
      { numRuns: 150 },
    );
  });

  it('depthwiseConv2d, any channel multiplier', async () => {
    const kernels: [string, string] = [
      'DepthwiseConv2dNativeBackpropFilter',
      'DepthwiseConv2dNativeBackpropInput',
    ];
    await fc.assert(
      fc.asyncProperty(cases(dimension(3)), (test) => check(test, kernels, true)),
      { numRuns: 150 },
    );
  });

  it.each<Case>([
    // More output positions than one tile takes, with a rest; and the path that needs no patches.
    { shape: [2, 29, 31, 16], filter: [3, 3, 16, 12], strides: [1, 1], pad: 'same', dilations: [1, 1] },
    { shape: [1, 29, 31, 8], filter: [1, 1, 8, 20], strides: [1, 1], pad: 'valid', dilations: [1, 1] },
    { shape: [1, 5, 5, 100], filter: [5, 5, 100, 7], strides: [2, 1], pad: 'same', dilations: [1, 1] },
  ])('conv2d, larger: %o', async (test) => {
    await check(test, ['Conv2DBackpropFilter', 'Conv2DBackpropInput'], false);
  });
});

describe('through automatic differentiation', () => {
  it.each([
    ['conv2d', tf.conv2d],
    ['depthwiseConv2d', tf.depthwiseConv2d],
  ])('differentiates tf.%s', async (_, op) => {
    const shape: Shape4D = [2, 9, 8, 3];
    const filter: Shape4D = [3, 3, 3, 2];
    const random = seededRandom(12);
    const [xs, ws] = [random.normals(sizeOf(shape)), random.normals(sizeOf(filter))];
    const results: Float32Array[][] = [];
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend);
      const values = tf.tidy(() => {
        const loss = (x: tf.Tensor, w: tf.Tensor) =>
          tf.sum(tf.square(op(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same')));
        return tf
          .grads(loss)([tf.tensor(xs, shape), tf.tensor(ws, filter)])
          .map((g) => g.dataSync() as Float32Array);
      });
      results.push(values);
    }
    expectClose(results[0]![0]!, results[1]![0]!, 1e-5, 'input gradient');
    expectClose(results[0]![1]!, results[1]![1]!, 1e-5, 'filter gradient');
  });
});

describe('bad input', () => {
  it('refuses NCHW, other dtypes and sizes that do not fit', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const x = tf.zeros([1, 4, 4, 2]);
      const attributes = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: [3, 3, 2, 5] };
      const run = (inputs: tf.NamedTensorMap, extra: object) => () =>
        tf.engine().runKernel('Conv2DBackpropFilter', inputs, { ...attributes, ...extra } as never);
      const dy = tf.zeros([1, 4, 4, 5]);
      expect(run({ x, dy }, { dataFormat: 'NCHW' })).toThrow(/expected dataFormat NHWC, got NCHW/);
      expect(run({ x, dy: x }, {})).toThrow(/expected dy to hold 80 values/);
      expect(run({ x, dy: tf.cast(dy, 'int32') }, {})).toThrow(KernelInputError);
      expect(run({ x: tf.zeros([4, 2]), dy }, {})).toThrow(/rank 4/);
    });
  });

  it("leaves the input gradient in NCHW to the backend's own kernel", async () => {
    const random = seededRandom(13);
    const dy = random.normals(1 * 4 * 5 * 5);
    const w = random.normals(3 * 3 * 2 * 4);
    const attributes = { strides: [1, 1], pad: 'same', dimRoundingMode: undefined };
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const run = (upstream: tf.Tensor, dataFormat: string, inputShape: number[]) =>
        tf.engine().runKernel('Conv2DBackpropInput', { dy: upstream, filter: tf.tensor(w, [3, 3, 2, 4]) }, {
          ...attributes,
          dataFormat,
          inputShape,
        } as never) as tf.Tensor;
      const first = tf.tensor(dy, [1, 4, 5, 5]);
      const ours = run(tf.transpose(first, [0, 2, 3, 1]), 'NHWC', [1, 5, 5, 2]);
      const theirs = run(first, 'NCHW', [1, 2, 5, 5]);
      expectClose(theirs.dataSync(), tf.transpose(ours, [0, 3, 1, 2]).dataSync(), 1e-5);
    });
  });
});
