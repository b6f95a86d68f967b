import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KERNELS } from '@rebatch/core/kernels';
import { expectClose, referenceMoments, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wasmKernelsSupported } from './index.ts';
import { instantiate, moduleBytes, relaxedSimdSupported } from './module.ts';
import { registerWasmKernels } from './register.ts';
import './relaxed-simd.test.support.ts';

const BUILDS: [string, boolean][] = [
  ['plain', false],
  ['relaxed', true],
];
const OURS = [
  KERNELS.moments,
  KERNELS.normalize,
  KERNELS.backwardReduce,
  KERNELS.backwardInput,
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
];
const registered = () => OURS.filter((name) => tf.getKernel(name, 'wasm') !== undefined);

describe('the embedded module', () => {
  it('is what the sources in assembly/ compile to', async () => {
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const check = promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', 'scripts/assemble.ts', '--check'],
      { cwd },
    );
    await expect(check).resolves.toMatchObject({ stderr: '' });
  });

  it('is small, both builds together', () => {
    const sizes = [false, true].map((relaxed) => moduleBytes(false, relaxed).length);
    expect(sizes[0]! + sizes[1]!).toBeLessThan(60_000);
  });

  it.each(BUILDS)('brings no memory of its own, %s', (_, relaxed) => {
    const bytes = moduleBytes(false, relaxed);
    const module = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    expect(WebAssembly.Module.exports(module).every(({ kind }) => kind === 'function')).toBe(true);
  });

  it.each([
    ['plain', false, false],
    ['shared', true, false],
    ['plain', false, true],
    ['shared', true, true],
  ])('leaves a %s memory as it is when it is instantiated', (_, shared, relaxed) => {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536, shared });
    new Uint8Array(memory.buffer).fill(0xa5);
    instantiate(memory, relaxed);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0xa5)).toBe(true);
  });
});

describe('the build for relaxed SIMD', () => {
  it('is chosen where the machine can run it', () => {
    expect(relaxedSimdSupported()).toBe(true);
    expect(WebAssembly.validate(moduleBytes(false, true))).toBe(true);
  });

  it('is not where it cannot', () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(relaxedSimdSupported()).toBe(false);
    vi.restoreAllMocks();
  });
});

describe('the threaded build, whose memory is shared', () => {
  it.each(BUILDS)('gets a module that works there, %s', (_, relaxed) => {
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true });
    const layout = { outer: 100, channels: 5, inner: 1, groups: 1 };
    const values = seededRandom(3).normals(500, 2);
    const [x, out, scratch] = [1024, 4096, 8192];
    new Float32Array(memory.buffer, x, 500).set(values);
    instantiate(memory, relaxed).momentsLanes(x, 0, out, scratch, 1, 1, 100, 5, 1, 4);
    const { mean, variance } = referenceMoments(values, layout);
    expectClose(new Float32Array(memory.buffer, out, 5), mean, 1e-6, 'mean');
    expectClose(new Float32Array(memory.buffer, out + 20, 5), variance, 1e-6, 'variance');
  });
});

describe('registration', () => {
  const warn = vi.spyOn(console, 'warn');
  beforeEach(() => {
    warn.mockClear();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    registerWasmKernels();
  });

  it('happens on import, and takes the place of upstream without a warning', () => {
    expect(registered()).toEqual(OURS);
    registerWasmKernels();
    expect(registered()).toEqual(OURS);
    expect(warn).not.toHaveBeenCalled();
  });

  it('registers nothing on a machine without SIMD', () => {
    for (const name of OURS) tf.unregisterKernel(name, 'wasm');
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(wasmKernelsSupported()).toBe(false);
    registerWasmKernels();
    expect(registered()).toEqual([]);
  });

  it('registers nothing where there is no WebAssembly', () => {
    for (const name of OURS) tf.unregisterKernel(name, 'wasm');
    vi.stubGlobal('WebAssembly', undefined);
    registerWasmKernels();
    vi.unstubAllGlobals();
    expect(registered()).toEqual([]);
  });
});
