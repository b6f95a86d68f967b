// Which calls are mended; that the values are right then is tested on the backends, in packages/internal/upstream.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { UnsupportedBackendError } from './errors.ts';
import { withVolumePadding } from './volume-padding.ts';

const tensor = (...shape: number[]): TensorInfo => ({ dataId: {}, shape, dtype: 'float32' });
const output = tensor(1);

/** The padding that upstream's kernel is called with. */
function padOf(kernelName: string, inputs: object, attributes: object): unknown {
  const kernel = withVolumePadding([], () => {}).find((one) => one.kernelName === kernelName)!;
  const upstream = vi.fn((_: { attrs?: object }) => output);
  const call = { inputs, attrs: { pad: 'same', ...attributes }, backend: {} };
  expect(kernel.kernelFunc(call as never, upstream as never)).toBe(output);
  return (upstream.mock.calls[0]![0].attrs as { pad: unknown }).pad;
}

describe('withVolumePadding', () => {
  it.each([
    ['every axis needs less than none', [6, 6, 6], 1, 2, 'valid'],
    ['one needs less than none, the others none', [6, 5, 5], 2, 3, 'valid'],
    ['all need just none', [6, 6, 6], 2, 2, 'same'],
    ['one needs some, and another less than none', [6, 4, 6], 2, 3, 'same'],
  ])('pads where %s', (_, size, filterSize, strides, pad) => {
    const x = tensor(2, ...size, 3);
    const filter = tensor(filterSize, filterSize, filterSize, 3, 4);
    expect(padOf('MaxPool3D', { x }, { filterSize, strides })).toBe(pad);
    expect(
      padOf('AvgPool3DGrad', { dy: x, input: x }, { filterSize: Array(3).fill(filterSize), strides }),
    ).toBe(pad);
    expect(padOf('Conv3D', { x, filter }, { strides: Array(3).fill(strides) })).toBe(pad);
    expect(padOf('Conv3DBackpropInputV2', { dy: x, filter }, { strides, inputShape: x.shape })).toBe(pad);
    expect(padOf('Conv3DBackpropFilterV2', { x, dy: x }, { strides, filterShape: filter.shape })).toBe(pad);
  });

  it('leaves other padding, and counts dilation as part of the window', () => {
    const x = tensor(1, 6, 6, 6, 1);
    expect(padOf('Conv3D', { x, filter: tensor(1, 1, 1, 1, 1) }, { strides: 2, pad: 'valid' })).toBe('valid');
    expect(padOf('Conv3D', { x, filter: tensor(2, 2, 2, 1, 1) }, { strides: 1, dilations: 3 })).toBe('same');
  });

  it("wraps the backend's own kernels, and hands on the others as they are", () => {
    const own = { kernelName: 'MaxPool3D', kernelFunc: vi.fn(() => output) };
    const other = { kernelName: 'Other', kernelFunc: vi.fn(() => output) };
    const kernels = withVolumePadding([own, other], () => {});
    expect(kernels).toContain(other);
    const wrapped = kernels.find(({ kernelName }) => kernelName === 'MaxPool3D')!;
    const attrs = { pad: 'same', filterSize: 1, strides: 2 };
    wrapped.kernelFunc({ inputs: { x: tensor(1, 2, 2, 2, 1) }, attrs, backend: {} });
    expect(own.kernelFunc).toHaveBeenCalledWith(
      expect.objectContaining({ attrs: { ...attrs, pad: 'valid' } }),
      undefined,
    );
  });

  it('says that a backend lacks the kernel', () => {
    const [kernel] = withVolumePadding([], () => {});
    expect(() => kernel!.kernelFunc({ inputs: {}, attrs: {}, backend: {} })).toThrow(UnsupportedBackendError);
  });
});
