import { KERNELS, runKernel } from '@rebatch/core/kernels';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { addressOf, kernelsOf, type WasmBackend, withScratch } from './backend.ts';
import { OutOfMemoryError, UnsupportedBackendError } from './index.ts';

const view = { outer: 64, channels: 10, inner: 1, groups: 1, epsilon: 1e-3 };
const convolution = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC' };
const run = (kernel: string, inputs: tf.NamedTensorMap, attributes: object) =>
  tf.engine().runKernel(kernel, inputs, attributes as never) as tf.Tensor;

let backend: WasmBackend;
/** `target`, but with these members in the place of its own. */
const differing = <T extends object>(target: T, change: object): T =>
  new Proxy(target, { get: (own, key) => Reflect.get(key in change ? change : own, key) });
const poolInputs = { dy: [2, 3, 3, 3], input: [2, 6, 6, 3], output: [2, 3, 3, 3] };
const heap = () => kernelMemory().buffer.byteLength;
const kernelMemory = () => backend.wasm.asm!.memory!;

/** Every kernel of this package, once. */
function runAll() {
  tf.tidy(() => {
    const x = tf.ones([64, 10]);
    for (const ids of [{} as tf.NamedTensorMap, { ids: tf.zeros([64], 'int32') }]) {
      const moments = runKernel('moments', { x, ...ids }, view);
      const pulls = runKernel('backwardReduce', { dy: x, x, moments, ...ids }, view);
      runKernel('normalize', { x, moments, ...ids }, view);
      runKernel('backwardInput', { dy: x, x, moments, pulls, ...ids }, view);
      runKernel('backward', { dy: x, x, moments, ...ids }, { ...view, count: 64, affine: 'channel' });
    }
    const image = tf.ones([2, 9, 9, 3]);
    const filter = tf.ones([3, 3, 3, 5]);
    const dy = tf.ones([2, 9, 9, 5]);
    run('Conv2DBackpropFilter', { x: image, dy }, { ...convolution, filterShape: filter.shape });
    run('Conv2DBackpropInput', { dy, filter }, { ...convolution, inputShape: image.shape });
    const depthwise = tf.ones([3, 3, 3, 1]);
    const kernel = 'DepthwiseConv2dNativeBackprop';
    run(`${kernel}Filter`, { x: image, dy: image }, { ...convolution, filterShape: depthwise.shape });
    run(`${kernel}Input`, { dy: image, filter: depthwise }, { ...convolution, inputShape: image.shape });
    // Large enough for Winograd's algorithm.
    const [maps, filters] = [tf.ones([4, 16, 16, 8]), tf.ones([3, 3, 8, 8])];
    run('Conv2D', { x: maps, filter: filters }, { ...convolution, dilations: [1, 1] });
    run('Conv2DBackpropFilter', { x: maps, dy: maps }, { ...convolution, filterShape: filters.shape });
    run('Conv2DBackpropInput', { dy: maps, filter: filters }, { ...convolution, inputShape: maps.shape });
  });
}

beforeAll(async () => {
  await tf.setBackend('wasm');
  backend = tf.backend() as unknown as WasmBackend;
});
beforeEach(() => {
  vi.restoreAllMocks();
});

describe('memory', () => {
  it('leaks neither tensors nor heap', async () => {
    await expectNoLeaks(tf, runAll);
    const malloc = vi.spyOn(backend.wasm, '_malloc');
    const free = vi.spyOn(backend.wasm, '_free');
    runAll();
    const freed = free.mock.calls.map(([address]) => address >>> 0).sort();
    expect(freed).toEqual(malloc.mock.results.map(({ value }) => value >>> 0).sort());
    vi.restoreAllMocks();
    const before = heap();
    for (let i = 0; i < 2000; i++) runAll();
    expect(heap()).toBe(before);
  });

  it('follows the memory when it grows', () => {
    const x = tf.tensor2d(
      Float32Array.from({ length: 640 }, (_, i) => i),
      [64, 10],
    );
    const before = runKernel('moments', { x }, view);
    const buffer = kernelMemory().buffer;
    const large = tf.zeros([48, 1024, 1024]);
    expect(kernelMemory().buffer).not.toBe(buffer);
    const after = runKernel('moments', { x }, view);
    expect([...after.dataSync()]).toEqual([...before.dataSync()]);
    // The output lies beyond where the memory ended when the kernels were instantiated.
    const large64 = { outer: 48 * 1024, channels: 1024, inner: 1, groups: 1, epsilon: 1 };
    const zeros = tf.zeros([2, 1, 1024]);
    const y = runKernel('normalize', { x: large, moments: zeros }, large64);
    expect(tf.max(y).dataSync()[0]).toBe(0);
    tf.dispose([x, before, after, large, zeros, y]);
  });

  it('gives scratch memory back when a kernel throws', () => {
    const free = vi.spyOn(backend.wasm, '_free');
    let borrowed = 0;
    const failing = () =>
      withScratch(backend, 100, 'Test', (address) => {
        borrowed = address;
        throw new Error('inside');
      });
    expect(failing).toThrow('inside');
    expect(free.mock.calls).toEqual([[borrowed]]);
  });

  it.each([
    ...[0, 1].map((failing) => ({ key: 'moments', failing }) as const),
    ...[0, 1, 2, 3].map((failing) => ({ key: 'backward', failing }) as const),
  ])('says so when malloc fails (of $key, at allocation $failing), and leaves nothing behind', (at) => {
    const { key, failing } = at;
    const x = tf.ones([64, 10]);
    const moments = tf.ones([2, 1, 10]);
    const fail = () =>
      key === 'moments'
        ? runKernel(key, { x }, view)
        : runKernel(key, { dy: x, x, moments }, { ...view, count: 64, affine: 'channel' });
    const before = { tensors: tf.memory().numTensors, buffers: tf.memory().numDataBuffers };
    const malloc = backend.wasm._malloc;
    let count = 0;
    const mock = vi
      .spyOn(backend.wasm, '_malloc')
      .mockImplementation((bytes) => (count++ === failing ? 0 : malloc(bytes)));
    expect(fail).toThrow(OutOfMemoryError);
    count = 0;
    expect(fail).toThrow(new RegExp(`${KERNELS[key]}: expected \\d+ free bytes`));
    mock.mockRestore();
    expect({ tensors: tf.memory().numTensors, buffers: tf.memory().numDataBuffers }).toEqual(before);
    expect(withScratch(backend, 8, 'Test', (address) => address)).toBeGreaterThan(0);
    tf.dispose([x, moments]);
  });

  it('asks for no more than 32 bits can say', () => {
    const malloc = vi.spyOn(backend.wasm, '_malloc');
    expect(() => withScratch(backend, 2 ** 32 + 8, 'Test', () => 0)).toThrow(OutOfMemoryError);
    expect(malloc).not.toHaveBeenCalled();
  });

  it('reads addresses above 2 GiB as they are', () => {
    const high = 3 * 2 ** 30;
    const wasm = { ...backend.wasm, _malloc: () => high | 0, _free: () => {} };
    expect(withScratch({ ...backend, wasm }, 16, 'Test', (address) => address)).toBe(high);
  });
});

describe('a backend that is built differently', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const working = {
    wasm: { asm: { memory }, _malloc: () => 8, _free: () => {} },
    dataIdMap: { get: () => ({ memoryOffset: 8 }) },
    makeOutput: () => ({ dataId: {}, shape: [], dtype: 'float32' }),
    disposeData: () => true,
    incRef: () => {},
  } as unknown as WasmBackend;

  it('works with the memory of the threaded build, which lies elsewhere', () => {
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const threaded = { ...working, wasm: { ...working.wasm, asm: {}, wasmMemory: shared } };
    expect(kernelsOf(threaded).momentsLanes).toBeTypeOf('function');
    expect(kernelsOf(threaded)).toBe(kernelsOf(threaded));
  });

  it.each([
    ['memory', { wasm: { ...working.wasm, asm: undefined } }],
    ['_malloc', { wasm: { asm: { memory } } }],
    ['dataIdMap', { dataIdMap: undefined }],
    ['makeOutput', { makeOutput: undefined }],
    ['disposeData', { disposeData: undefined }],
    ['incRef', { incRef: undefined }],
    ['wasm', { wasm: undefined }],
  ])('names what is missing: %s', (_, change) => {
    const changed = { ...working, ...change } as unknown as WasmBackend;
    expect(() => kernelsOf(changed)).toThrow(UnsupportedBackendError);
    expect(() => kernelsOf(changed)).toThrow(/kernels work with @tensorflow\/tfjs-backend-wasm 4\.22/);
  });

  it('names a tensor record without an address', () => {
    const changed = { ...working, dataIdMap: { get: () => ({ memoryOffset: null }) } };
    const tensor = { dataId: {}, shape: [1], dtype: 'float32' as const };
    expect(() => addressOf(changed, tensor)).toThrow(/memoryOffset/);
  });

  describe.each([
    ['incRef', () => ({ incRef: undefined })],
    ['the memory', () => ({ wasm: differing(backend.wasm, { asm: {}, wasmMemory: undefined }) })],
  ])('but whose own kernels work: without %s', (_, change) => {
    const other = () => differing(backend, change());
    const call = (kernel: string, inputs: Record<string, tf.Tensor>, attrs: object, on: object) =>
      tf.getKernel(kernel, 'wasm').kernelFunc({ inputs, attrs: attrs as never, backend: on as never });
    const valuesOf = (result: tf.TensorInfo | tf.TensorInfo[]) =>
      [...(backend as unknown as tf.KernelBackend).readSync!((result as tf.TensorInfo).dataId)] as number[];
    // Positive, because upstream's max pooling gives windows of negative values no gradient.
    const image = seededRandom(2)
      .normals(2 * 6 * 6 * 3)
      .map(Math.abs);

    it.each([
      ['Identity', { x: [2, 6, 6, 3] }, {}],
      ['MaxPoolGrad', poolInputs, { filterSize: 2, strides: 2, pad: 'valid' }],
      [
        'Conv2DBackpropInput',
        { dy: [2, 6, 6, 3], filter: [2, 2, 5, 3] },
        { ...convolution, inputShape: [2, 6, 6, 5] },
      ],
    ])('leaves %s to upstream', (kernel, shapes, attributes) => {
      tf.tidy(() => {
        const inputs = Object.fromEntries(
          Object.entries(shapes).map(([name, shape]) => {
            const size = shape.reduce((a, b) => a * b, 1);
            return [name, tf.tensor(image.subarray(0, size), shape)];
          }),
        );
        const expected = valuesOf(call(kernel, inputs, attributes, backend));
        const own = vi.spyOn(backend, 'incRef');
        expectClose(valuesOf(call(kernel, inputs, attributes, other())), expected, 1e-6, kernel);
        expect(own).not.toHaveBeenCalled();
      });
    });

    it('throws where upstream has no such kernel, and leaves nothing behind', () => {
      const x = tf.zeros([64, 10]);
      const filterGradient = { ...convolution, filterShape: [2, 2, 3, 3] };
      const images = tf.zeros([2, 6, 6, 3]);
      const buffers = tf.memory().numDataBuffers;
      expect(() => call(KERNELS.moments, { x }, view, other())).toThrow(UnsupportedBackendError);
      expect(() => call('Conv2DBackpropFilter', { x: images, dy: images }, filterGradient, other())).toThrow(
        UnsupportedBackendError,
      );
      expect(tf.memory().numDataBuffers).toBe(buffers);
      tf.dispose([x, images]);
    });
  });
});
