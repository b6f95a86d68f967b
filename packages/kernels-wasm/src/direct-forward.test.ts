import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convolve } from './convolution.test.support.ts';
import { takesDirect } from './direct-forward.ts';
import { configureWasmKernels } from './index.ts';

type Shape4D = [number, number, number, number];
type Pair = [number, number];

interface Case {
  readonly shape: Shape4D;
  readonly filter: Shape4D;
  readonly strides: Pair;
  readonly pad: 'same' | 'valid';
  readonly activation: 'linear' | 'relu' | 'relu6';
}

const ACTIVATIONS = {
  linear: (value: number) => value,
  relu: (value: number) => Math.max(0, value),
  relu6: (value: number) => Math.min(6, Math.max(0, value)),
};

const small = (max: number, min = 1) => fc.integer({ min, max });
const cases: fc.Arbitrary<Case> = fc
  .record({
    size: fc.tuple(small(3), small(12, 4), small(12, 4)),
    channels: fc.tuple(fc.constantFrom(16, 17, 20, 33), fc.constantFrom(4, 8, 12, 20)),
    window: fc.tuple(small(4), small(4)),
    strides: fc.tuple(small(3), small(3)),
    pad: fc.constantFrom('same' as const, 'valid' as const),
    activation: fc.constantFrom('linear' as const, 'relu' as const, 'relu6' as const),
  })
  .map(({ size, channels, window, ...rest }) => ({
    ...rest,
    shape: [...size, channels[0]] as Shape4D,
    filter: [...window, ...channels] as Shape4D,
  }));

const infoOf = ({ shape, filter, strides, pad }: Pick<Case, 'shape' | 'filter' | 'strides' | 'pad'>) =>
  tf.backend_util.computeConv2DInfo(shape, filter, strides, 1, pad);

function check(test: Case): void {
  const { shape, filter, strides, pad, activation } = test;
  const info = infoOf(test);
  fc.pre(info.outHeight > 0 && info.outWidth > 0 && takesDirect(info));
  // The same numbers whenever a case is tried again.
  const random = seededRandom(41);
  const [xs, ws] = [shape, filter].map((each) => random.normals(each.reduce((a, b) => a * b, 1)));
  const bias = random.normals(info.outChannels);
  const options = { strides, pad, activation, bias: tf.tensor1d(bias) };
  const actual = tf.tidy(() =>
    tf.fused.conv2d({ x: tf.tensor4d(xs!, shape), filter: tf.tensor4d(ws!, filter), ...options }).dataSync(),
  );
  options.bias.dispose();
  expectClose(actual, convolve(info, xs!, ws!, { bias }).map(ACTIVATIONS[activation]), 1e-5);
}

// What Winograd's algorithm computes is less exact, and has tests of its own.
beforeAll(() => void configureWasmKernels({ winograd: false }));
afterAll(() => void configureWasmKernels({ winograd: true }));

describe('convolutions that are not left to upstream', () => {
  beforeAll(() => tf.setBackend('wasm'));

  it('with bias and activation, of any window and stride', () => {
    fc.assert(fc.property(cases, check), { numRuns: 60 });
  });

  it('over more positions than a tile has', () => {
    const rest = { strides: [1, 1] as Pair, pad: 'valid', activation: 'relu' } as const;
    check({ shape: [2, 21, 19, 16], filter: [1, 1, 16, 20], ...rest });
    check({ shape: [2, 21, 19, 20], filter: [5, 5, 20, 12], ...rest });
  });

  it.each<[string, boolean, Shape4D, Shape4D]>([
    ['1x1', true, [4, 8, 8, 16], [1, 1, 16, 32]],
    ['5x5', true, [4, 8, 8, 16], [5, 5, 16, 32]],
    ['few channels', false, [4, 8, 8, 3], [5, 5, 3, 32]],
    ['a single position', false, [1, 1, 1, 64], [1, 1, 64, 64]],
    ['channels that are no multiple of 4', false, [4, 8, 8, 16], [1, 1, 16, 31]],
  ])('%s: %o', (_, taken, shape, filter) => {
    expect(takesDirect(infoOf({ shape, filter, strides: [1, 1], pad: 'same' }))).toBe(taken);
  });
});
