// Tensors in pieces: what a device can bind is said to be far less than it is, so that small tensors are large ones.
import { KERNELS, runKernel } from '@rebatch/core/kernels';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DeviceLimitError } from './index.ts';
import { attributesOf, type Layout, load, random, sizeOf, useWebGPU, values } from './run.test.support.ts';

beforeAll(useWebGPU);

afterEach(() => {
  vi.restoreAllMocks();
});

interface Limits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
}

/** Until the test ends, a device that can bind as many bytes. */
function limitTo(limits: Partial<Limits>): void {
  const { device } = tf.backend() as unknown as { device: { limits: Record<string, number> } };
  const real = device.limits;
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(real));
  const known = Object.fromEntries(names.map((name) => [name, real[name]!]));
  vi.spyOn(device, 'limits', 'get').mockReturnValue({ ...known, ...limits });
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  'one group of lanes': { rows: 600, channels: 8, inner: 1, groups: 1 },
  'groups that end within pieces': { rows: 100, channels: 12, inner: 1, groups: 6 },
  'ids of scattered blocks': {
    rows: 5,
    channels: 8,
    inner: 1,
    groups: 3,
    ids: Array.from({ length: 120 }, (_, i) => ((i * i) % 4) - (i % 7 === 0 ? 1 : 0)),
  },
  'groups of runs': { rows: 8, channels: 4, inner: 48, groups: 5 },
};

// The first test: the device is watched when it gets to know a program.
it('takes what the device has against one call for no fault of the program', async () => {
  const layout = { rows: 64, channels: 9, inner: 1, groups: 1 };
  const own = load(layout, random.normals(sizeOf(layout)));
  // A buffer that the device has made nothing of, as where there was no memory for it.
  const backend = tf.backend() as unknown as {
    device: { createBuffer(of: object): object };
    tensorMap: { get(dataId: object): { resource: unknown } };
  };
  const broken = tf.clone(tf.add(own.x, 0));
  backend.tensorMap.get(broken.dataId).resource = backend.device.createBuffer({ size: 2 ** 50, usage: 128 });
  const said = new Promise<unknown>((resolve) => {
    window.addEventListener(
      'unhandledrejection',
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        resolve(event.reason);
      },
      { once: true, capture: true },
    );
  });
  tf.dispose(runKernel('moments', { x: broken }, { ...attributesOf(layout), rest: true }));
  const error = await said;
  expect(error).toBeInstanceOf(DeviceLimitError);
  expect((error as Error).message).toMatch(
    /expected the device to run .* but it refused this call.*Other calls go on/s,
  );
  const [packed] = await values('moments', own, { ...attributesOf(layout), rest: true });
  expect(packed!.every(Number.isFinite)).toBe(true);
});

describe.each(Object.entries(LAYOUTS))('%s', (_, layout) => {
  it('gives in pieces what it gives as a whole', async () => {
    const attributes = { ...attributesOf(layout), epsilon: 0.1 };
    const own = load(layout, random.normals(sizeOf(layout), 3, 2));
    const dy = tf.tensor1d(random.normals(sizeOf(layout)));
    const slots = layout.groups * layout.channels;
    const moments = runKernel('moments', own, attributes);
    const pulls = tf.tensor1d(random.normals(2 * slots));
    const gamma = tf.tensor1d(random.normals(layout.channels, 1));
    const beta = tf.tensor1d(random.normals(layout.channels));
    const all = async () => ({
      moments: (await values('moments', own, attributes))[0]!,
      rest: (await values('moments', own, { ...attributes, rest: true }))[0]!,
      normalize: (await values('normalize', { ...own, moments, gamma, beta }, attributes))[0]!,
      sums: (await values('backwardReduce', { ...own, dy, moments }, attributes))[0]!,
      dx: (await values('backwardInput', { ...own, dy, moments, pulls, gamma }, attributes))[0]!,
      all: (
        await values(
          'backward',
          { ...own, dy, moments, gamma },
          { ...attributes, count: 7, affine: 'channel' },
        )
      ).flatMap((gradient) => [...gradient]),
    });
    const whole = await all();
    const before = tf.memory();
    limitTo({ maxStorageBufferBindingSize: 4096 });
    const pieces = await all();
    const after = tf.memory();
    for (const [what, expected] of Object.entries(whole)) {
      const got = Array.from(pieces[what as keyof typeof whole]);
      const known = Array.from(expected, (value) => !Number.isNaN(value));
      expect(got.map((value) => !Number.isNaN(value))).toEqual(known);
      // The sums are of as many values, in another order.
      const only = (from: ArrayLike<number>) => Array.from(from).filter((_, i) => known[i]);
      expectClose(only(got), only(expected), 1e-5, what);
    }
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numDataBuffers).toBe(before.numDataBuffers);
    tf.dispose([own, dy, moments, pulls, gamma, beta]);
  });
});

it('says what a device cannot do, and goes on with what it can', async () => {
  const layout = { rows: 64, channels: 70, inner: 1, groups: 1 };
  const own = load(layout, random.normals(sizeOf(layout)));
  limitTo({ maxStorageBufferBindingSize: 256 });
  const run = () => runKernel('moments', own, attributesOf(layout));
  expect(run).toThrow(DeviceLimitError);
  expect(run).toThrow(
    `${KERNELS.moments}: expected a tensor of which the device can read 16 rows of 560 bytes at once, but its ` +
      'maxStorageBufferBindingSize is 256',
  );
  vi.restoreAllMocks();
  limitTo({ maxBufferSize: 1000 });
  const moments = tf.ones([2, 1, 70]);
  const normalize = () =>
    runKernel('normalize', { ...own, moments }, { ...attributesOf(layout), epsilon: 0 });
  expect(normalize).toThrow('a tensor of at most 1000 bytes, the maxBufferSize of the device, got 17920');
  vi.restoreAllMocks();
  const y = normalize();
  expect(Number.isFinite((await y.data())[0])).toBe(true);
  tf.dispose([own, moments, y]);
});
