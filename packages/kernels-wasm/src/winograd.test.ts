import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureWasmKernels } from './index.ts';
import { takesWinograd } from './winograd.ts';

const random = seededRandom(23);
const TOLERANCE = 1e-5;

type Shape4D = [number, number, number, number];

interface Case {
  readonly batch: number;
  readonly size: readonly [number, number];
  readonly channels: readonly [number, number];
  readonly pad: readonly [top: number, bottom: number, left: number, right: number];
}

const size = fc.integer({ min: 3, max: 19 });
const channels = fc.constantFrom(4, 8, 12, 16, 20, 32);
const pad = fc.integer({ min: 0, max: 2 });
const cases: fc.Arbitrary<Case> = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  size: fc.tuple(size, size),
  channels: fc.tuple(channels, channels),
  pad: fc.tuple(pad, pad, pad, pad),
});

/** What tf calls the kernels with. */
const attributesOf = ({ pad: [top, bottom, left, right] }: Case) => ({
  strides: [1, 1],
  dilations: [1, 1],
  dataFormat: 'NHWC',
  pad: [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ],
});

const outSize = ({ size: [h, w], pad: [top, bottom, left, right] }: Case) =>
  [h + top + bottom - 2, w + left + right - 2] as const;

/** The convolution and its gradients in float64, by the definition. */
function reference(test: Case, x: Float32Array, filter: Float32Array, dy: Float32Array) {
  const {
    batch,
    size: [height, width],
    channels: [inner, outer],
    pad: [top, , left],
  } = test;
  const [outHeight, outWidth] = outSize(test);
  const [y, dx, dw] = [dy.length, x.length, filter.length].map((length) => new Float64Array(length));
  for (let b = 0; b < batch; b++) {
    for (let p = 0; p < outHeight * outWidth; p++) {
      for (let tap = 0; tap < 9; tap++) {
        const row = Math.floor(p / outWidth) - top + Math.floor(tap / 3);
        const column = (p % outWidth) - left + (tap % 3);
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const from = ((b * height + row) * width + column) * inner;
        const to = (b * outHeight * outWidth + p) * outer;
        for (let c = 0; c < inner; c++) {
          for (let k = 0; k < outer; k++) {
            const weight = (tap * inner + c) * outer + k;
            y![to + k]! += x[from + c]! * filter[weight]!;
            dx![from + c]! += dy[to + k]! * filter[weight]!;
            dw![weight]! += x[from + c]! * dy[to + k]!;
          }
        }
      }
    }
  }
  return { y: y!, dx: dx!, dw: dw! };
}

/** The root of the mean squared error, relative to that of the values. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [errors, squares] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    errors += (actual[i]! - expected[i]!) ** 2;
    squares += expected[i]! ** 2;
  }
  return Math.sqrt(errors / squares);
}

function tensorsOf(test: Case) {
  const { batch, size, channels } = test;
  const shapes: Shape4D[] = [
    [batch, ...size, channels[0]],
    [3, 3, ...channels],
    [batch, ...outSize(test), channels[1]],
  ];
  const values = shapes.map((shape) => random.normals(shape.reduce((a, b) => a * b, 1)));
  return { shapes, values };
}

function check(test: Case): void {
  const { shapes, values } = tensorsOf(test);
  const attributes = attributesOf(test);
  const info = tf.backend_util.computeConv2DInfo(
    ...([shapes[0], shapes[1], 1, 1, attributes.pad] as unknown as Parameters<
      typeof tf.backend_util.computeConv2DInfo
    >),
  );
  const taken = (['forward', 'input', 'filter'] as const).filter((pass) => takesWinograd(info, pass));
  fc.pre(taken.length > 0);
  const expected = reference(test, values[0]!, values[1]!, values[2]!);
  tf.tidy(() => {
    const [x, filter, dy] = values.map((each, i) => tf.tensor(each, shapes[i])) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const run = (kernel: string, inputs: tf.NamedTensorMap, extra: object = {}) =>
      (tf.engine().runKernel(kernel, inputs, { ...attributes, ...extra } as never) as tf.Tensor).dataSync();
    const within = (actual: ArrayLike<number>, right: ArrayLike<number>) =>
      expect(relativeError(actual, right)).toBeLessThan(TOLERANCE);
    within(run('Conv2D', { x, filter }), expected.y);
    within(run('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }), expected.dx);
    within(run('Conv2DBackpropFilter', { x, dy }, { filterShape: filter.shape }), expected.dw);
  });
}

describe("Winograd's algorithm", () => {
  beforeAll(() => tf.setBackend('wasm'));

  it('is within 1e-5 (rms) of float64, whatever the shape', () => {
    fc.assert(fc.property(cases, check), { numRuns: 60 });
  });

  it.each<Case>([
    // Many chunks, and a last one that is shorter.
    { batch: 8, size: [32, 28], channels: [16, 32], pad: [1, 1, 1, 1] },
    { batch: 9, size: [7, 7], channels: [64, 48], pad: [1, 1, 1, 1] },
  ])('so it is over many tiles: %o', check);

  it.each([
    ['linear', (v: number) => v],
    ['relu', (v: number) => Math.max(0, v)],
    ['relu6', (v: number) => Math.min(6, Math.max(0, v))],
    ['elu', (v: number) => (v < 0 ? Math.expm1(v) : v)],
  ])('adds the bias, and applies %s', (activation, apply) => {
    const test: Case = { batch: 2, size: [9, 10], channels: [8, 12], pad: [1, 1, 1, 1] };
    const { shapes, values } = tensorsOf(test);
    const bias = random.normals(12, 3, 5);
    const { y } = reference(test, values[0]!, values[1]!, values[2]!);
    const right = y.map((value, i) => apply(value + bias[i % 12]!));
    const actual = tf.tidy(() =>
      tf.fused
        .conv2d({
          x: tf.tensor(values[0]!, shapes[0]) as tf.Tensor4D,
          filter: tf.tensor(values[1]!, shapes[1]) as tf.Tensor4D,
          bias: tf.tensor1d(bias),
          ...{ strides: 1, pad: 'same', activation: activation as 'linear' },
        })
        .dataSync(),
    );
    expect(relativeError(actual, right)).toBeLessThan(TOLERANCE);
  });
});

describe('which convolutions it takes', () => {
  const info = (shape: Shape4D, filter: Shape4D, strides = 1, dilations = 1) =>
    tf.backend_util.computeConv2DInfo(shape, filter, strides, dilations, 'same');
  afterAll(() => void configureWasmKernels({ winograd: true }));

  it.each([
    ['3x3, stride 1', info([8, 14, 14, 16], [3, 3, 16, 16]), true],
    ['other windows', info([8, 14, 14, 16], [1, 3, 16, 16]), false],
    ['other strides', info([8, 14, 14, 16], [3, 3, 16, 16], 2), false],
    ['dilated', info([8, 14, 14, 16], [3, 3, 16, 16], 1, 2), false],
    ['channels that are no multiple of 4', info([8, 14, 14, 3], [3, 3, 3, 16]), false],
    ['few tiles and many weights', info([1, 4, 4, 256], [3, 3, 256, 256]), false],
    ['a single output', info([64, 1, 1, 16], [3, 3, 16, 16]), false],
  ])('%s', (_, convolution, taken) => {
    for (const pass of ['forward', 'input', 'filter'] as const) {
      expect(takesWinograd(convolution, pass)).toBe(taken);
    }
  });

  it('none where it is switched off', () => {
    configureWasmKernels({ winograd: false });
    expect(takesWinograd(info([8, 14, 14, 16], [3, 3, 16, 16]), 'forward')).toBe(false);
  });
});
