import { getKernel, type KernelConfig, registerKernel, type TensorInfo } from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnsupportedBackendError } from './errors.ts';
import { type BackendKernel, registerKernels } from './register.ts';

const result = (name: string): TensorInfo => ({ dataId: { name }, shape: [], dtype: 'float32' });
const ours = result('ours');
const upstreams = result('upstreams');

let backendName: string;
let count = 0;

/** Calls what is registered now. */
function call(attrs: object = {}, backend: object = {}): TensorInfo {
  const { kernelFunc } = getKernel('Test', backendName) as KernelConfig;
  return kernelFunc({ inputs: {}, attrs: attrs as never, backend }) as TensorInfo;
}

const kernel = (more: Partial<BackendKernel> = {}): BackendKernel => ({
  kernelName: 'Test',
  kernelFunc: () => ours,
  ...more,
});

beforeEach(() => {
  // The registry is the process's: every test has a backend of its own.
  backendName = `backend ${count++}`;
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('registerKernels', () => {
  it('registers a kernel that upstream lacks, as it is', () => {
    registerKernels(backendName, [kernel()]);
    expect(call()).toBe(ours);
  });

  it('takes the place of an earlier kernel without a warning, once, and leaves its setup and disposal', () => {
    const warn = vi.spyOn(console, 'warn');
    const setupFunc = () => {};
    registerKernel({ kernelName: 'Test', backendName, kernelFunc: () => upstreams, setupFunc });
    registerKernels(backendName, [kernel()]);
    const first = getKernel('Test', backendName);
    registerKernels(backendName, [kernel()]);
    expect(getKernel('Test', backendName)).toBe(first);
    expect(first.setupFunc).toBe(setupFunc);
    expect(call()).toBe(ours);
    expect(warn).not.toHaveBeenCalled();
  });

  it("hands a kernel upstream's, if there is one, for those that only mend how it is called", () => {
    const kernelFunc: BackendKernel['kernelFunc'] = (call, upstream) =>
      upstream === undefined ? ours : upstream({ ...call, attrs: { mended: true } });
    const upstream = vi.fn(() => upstreams);
    registerKernel({ kernelName: 'Test', backendName, kernelFunc: upstream });
    registerKernels(backendName, [kernel({ kernelFunc })]);
    expect(call({ mended: false })).toBe(upstreams);
    expect(upstream).toHaveBeenCalledWith(expect.objectContaining({ attrs: { mended: true } }));
    registerKernels(`${backendName}, without one`, [kernel({ kernelFunc })]);
    backendName = `${backendName}, without one`;
    expect(call()).toBe(ours);
  });

  it('leaves to upstream what the kernel leaves, judged by attributes and inputs', () => {
    registerKernel({ kernelName: 'Test', backendName, kernelFunc: () => upstreams });
    const leaves = vi.fn((attributes: object) => 'foreign' in attributes);
    registerKernels(backendName, [kernel({ leaves })]);
    expect(call({ foreign: true })).toBe(upstreams);
    expect(call({ own: true })).toBe(ours);
    expect(leaves).toHaveBeenLastCalledWith({ own: true }, {});
  });

  it('leaves to upstream a backend that the kernel does not know, and no other error', () => {
    registerKernel({ kernelName: 'Test', backendName, kernelFunc: () => upstreams });
    const kernelFunc = ({ backend }: { readonly backend: unknown }) => {
      if (backend === unknown) throw new UnsupportedBackendError('unknown');
      throw new RangeError('another');
    };
    const unknown = {};
    registerKernels(backendName, [kernel({ kernelFunc })]);
    expect(call({}, unknown)).toBe(upstreams);
    expect(() => call()).toThrow(RangeError);
  });

  it('lets an unknown backend surface where upstream has no such kernel', () => {
    const kernelFunc = () => {
      throw new UnsupportedBackendError('unknown');
    };
    registerKernels(backendName, [kernel({ kernelFunc, leaves: () => true })]);
    expect(() => call()).toThrow(UnsupportedBackendError);
  });
});
