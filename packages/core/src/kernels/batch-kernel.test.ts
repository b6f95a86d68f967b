// What a backend's code is given: plain objects stand for tensors, since nothing here reads them. What is refused on
// every backend is a part of the conformance suite.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type BatchKernelCall, batchKernel, groupStride } from './batch-kernel.ts';
import { type BatchKernelKey, KERNELS } from './contract.ts';
import { UnsupportedBackendError } from './errors.ts';
import { movingAverageKernel } from './moving-average-kernel.ts';
import type { BackendKernel } from './register.ts';
import { kernelView } from './view.ts';

const tensor = (shape: number[], dtype: 'float32' | 'int32' = 'float32'): TensorInfo => ({
  dataId: {},
  shape,
  dtype,
});
const output = tensor([]);
const call = ({ kernelFunc }: BackendKernel, inputs: object, attrs: object, backend: object = {}) =>
  kernelFunc({ inputs: inputs as never, attrs: attrs as never, backend });

const VIEW = { outer: 6, channels: 3, inner: 2, groups: 2 };
const [x, dy, moments, pulls] = [tensor([6, 3, 2]), tensor([36]), tensor([2, 2, 3]), tensor([2, 2, 3])];
const perGroup = tensor([2, 3]);

describe('batchKernel', () => {
  const kinds: [BatchKernelKey, object, object, number[]][] = [
    ['moments', { x }, {}, [2, 2, 3]],
    ['normalize', { x, moments, gamma: perGroup, beta: tensor([3]) }, { epsilon: 0 }, x.shape],
    ['backwardReduce', { dy, x, moments }, { epsilon: 0.5 }, [2, 2, 3]],
    ['backwardInput', { dy, x, moments, pulls, gamma: perGroup }, { epsilon: 0.5 }, x.shape],
    ['backward', { dy, x, moments }, { epsilon: 1, count: 6, affine: 'group' }, x.shape],
  ];

  it.each(kinds)('hands %s its inputs and attributes, the view and the shape of its output', (...kind) => {
    const [key, inputs, attributes, shape] = kind;
    let got: BatchKernelCall<BatchKernelKey, object> | undefined;
    const backend = {};
    const run = (its: BatchKernelCall<BatchKernelKey, object>) => {
      got = its;
      return output;
    };
    const kernel = batchKernel<BatchKernelKey, object>(key, (given) => given as object, run);
    expect(kernel.kernelName).toBe(KERNELS[key]);
    expect(call(kernel, inputs, { ...VIEW, ...attributes }, backend)).toBe(output);
    expect(got).toMatchObject({ kernelName: KERNELS[key], inputs, attributes: { ...VIEW, ...attributes } });
    expect(got!.backend).toBe(backend);
    expect(got!.shape).toEqual(shape);
    // It is the kernel's own, to keep or to change.
    expect(got!.shape).not.toBe(x.shape);
    expect(got!.view).toEqual({ ...VIEW, blocks: 2, rows: 3, byId: false, size: 36 });
  });

  it('says what came for an attribute, whatever it is', () => {
    const given = () => ({});
    const backward = batchKernel('backward', given, () => [output]);
    const average = movingAverageKernel(given, () => output);
    const inputs = { dy, x, moments };
    const fine = { ...VIEW, epsilon: 1, count: 6, affine: 'none' };
    const cases: [object, string][] = [
      [{ epsilon: {} }, 'epsilon to be a number of at least 0, got an object without members.'],
      [{ count: {} }, 'count to be a number above 0, got an object without members.'],
      [{ affine: {} }, 'affine to be none, channel or group, got an object without members.'],
      [{ outer: '6' }, 'outer to be a whole number of at least 1, got "6".'],
    ];
    for (const [change, message] of cases) {
      expect(() => call(backward, inputs, { ...fine, ...change })).toThrow(message);
    }
    const averaged = { moving: tensor([3]), batch: tensor([3]) };
    expect(() => call(average, averaged, { offset: 0, rate: {} })).toThrow(
      'rate to be a finite number, got an',
    );
  });

  it('asks for the backend before anything else', () => {
    const refusing = () => {
      throw new UnsupportedBackendError('another make');
    };
    const run = vi.fn(() => output);
    for (const kernel of [batchKernel('normalize', refusing, run), movingAverageKernel(refusing, run)]) {
      expect(() => call(kernel, {}, {})).toThrow(UnsupportedBackendError);
    }
    expect(run).not.toHaveBeenCalled();
  });
});

it('kernelView splits outer evenly into blocks, by groups or by ids', () => {
  const size = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(size, size, size, size, fc.option(size), (rows, channels, inner, groups, ids) => {
      const blocks = ids ?? groups;
      const attributes = { outer: rows * blocks, channels, inner, groups };
      const view = kernelView(attributes, ids === null ? undefined : tensor([ids], 'int32'), 'test');
      expect(view).toEqual({
        ...{ ...attributes, blocks, rows, byId: ids !== null },
        size: rows * blocks * channels * inner,
      });
    }),
  );
});

it('groupStride tells vectors of each group from those that groups share', () => {
  const view = kernelView(VIEW, undefined, 'test');
  expect(groupStride(perGroup, view)).toBe(3);
  expect(groupStride(tensor([3]), view)).toBe(0);
  expect(groupStride(undefined, view)).toBe(0);
  // With one group it is the same either way.
  expect(groupStride(tensor([1, 3]), kernelView({ ...VIEW, groups: 1 }, undefined, 'test'))).toBe(0);
});
