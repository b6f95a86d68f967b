import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
// For the gradients of the ops, which tfjs-core alone does not register.
import '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import './relaxed-simd.test.support.ts';
import {
  configureWasmKernels,
  KernelSettingsError,
  type WasmKernelSettings,
  wasmKernelSettings,
} from './index.ts';

const values = Float32Array.from({ length: 8192 }, (_, i) => Math.fround(Math.sin(i)));
const filters = Float32Array.from({ length: 576 }, (_, i) => Math.fround(Math.cos(i)));

/** A convolution for which all settings matter, by the gradient for its filter. */
const gradient = () =>
  tf.tidy(() => {
    const x = tf.tensor4d(values, [4, 16, 16, 8]);
    const op = (w: tf.Tensor) => tf.square(tf.conv2d(x, w as tf.Tensor4D, 1, 'same'));
    return tf
      .grad(op)(tf.tensor4d(filters, [3, 3, 8, 8]))
      .dataSync();
  });

beforeAll(() => tf.setBackend('wasm'));
beforeEach(() => void configureWasmKernels({ relaxedSimd: true, winograd: true }));
afterEach(() => void configureWasmKernels({ relaxedSimd: true, winograd: true }));

describe('settings of the kernels', () => {
  it.each<Partial<WasmKernelSettings>>([{ relaxedSimd: false }, { winograd: false }])(
    'hold from the next call on: %o',
    (change) => {
      const [first, again] = [gradient(), gradient()];
      expect(again).toEqual(first);
      expect(configureWasmKernels(change)).toEqual({ relaxedSimd: true, winograd: true, ...change });
      const other = gradient();
      expect(other).not.toEqual(first);
      expectClose(other, first, 2e-5);
      configureWasmKernels({ relaxedSimd: true, winograd: true });
      expect(gradient()).toEqual(first);
    },
  );

  it('refuse what does not exist', () => {
    const wrong = () => configureWasmKernels({ winogard: false } as never);
    expect(wrong).toThrow(KernelSettingsError);
    expect(wrong).toThrow(/"winogard"\. Did you mean winograd\?/);
  });

  it('refuse relaxed SIMD where there is none, and stay as they are', () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(() => configureWasmKernels({ relaxedSimd: true, winograd: false })).toThrow(KernelSettingsError);
    expect(wasmKernelSettings()).toEqual({ relaxedSimd: true, winograd: true });
    vi.restoreAllMocks();
  });
});
