// What a training step costs in dispatches and reads, by what reaches the device, whatever TensorFlow.js calls it. Times
// would say nothing on SwiftShader; these numbers are the same on any adapter.
import { batchNormalize, segmentBatchNormalize } from '@rebatch/core';
import { packedBatchNormalize } from '@rebatch/core/~internal';
import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import '@tensorflow/tfjs-backend-webgpu';
import { useWebGPU } from './run.test.support.ts';

let composed: Record<string, number>;

beforeAll(async () => {
  await useWebGPU();
  composed = countDispatches();
  await import('./index.ts');
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** On the device, as in the middle of a network: the backend computes with small tensors of the host's on the host. */
const onDevice = (shape: number[]) => tf.add(tf.randomNormal(shape), tf.ones(shape));

interface WebGPUClasses {
  readonly GPUComputePassEncoder: { readonly prototype: { dispatchWorkgroups(...sizes: number[]): void } };
  readonly GPUBuffer: { readonly prototype: { mapAsync(mode: number): Promise<void> } };
}

const { GPUComputePassEncoder, GPUBuffer } = globalThis as unknown as WebGPUClasses;

/** The dispatches of a step, each as its number of workgroups in x, y and z. */
function dispatchesOf(step: () => void): number[][] {
  const spy = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
  step();
  const calls = spy.mock.calls.map((sizes) => [...sizes]);
  spy.mockRestore();
  return calls;
}

type Op = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => tf.Tensor;

/** y, and the gradients of x, gamma and beta. */
function stepOf(op: Op, shape: number[], axis = -1): () => void {
  const channels = shape.at(axis)!;
  const inputs = [onDevice(shape), onDevice([channels]), onDevice([channels])];
  const dy = onDevice(shape);
  return () => {
    const { value, grads } = tf.valueAndGrads(op)(inputs, dy);
    tf.dispose([value, grads]);
  };
}

/** A layer's training call and its gradients: the update of the moving statistics is part of it. */
function layerStepOf(layer: tfl.layers.Layer, shape: number[]): () => void {
  layer.build(shape);
  const [gamma, beta] = layer.weights.map((weight) => weight.read());
  const [x, dy] = [onDevice(shape), onDevice(shape)];
  return () => {
    const gradients = tf.grads(() => layer.apply(x, { training: true }) as tf.Tensor);
    tf.tidy(() => void gradients([x, gamma!, beta!], dy));
  };
}

// Large enough for reductions in two passes.
const LARGE = [8, 14, 14, 64];

function countDispatches(): Record<string, number> {
  const packed: Op = (x, gamma, beta) => packedBatchNormalize(x, { gamma, beta }).y;
  const unpacked: Op = (x, gamma, beta) => batchNormalize(x, { gamma, beta }).y;
  const steps = {
    '`packedBatchNormalize` of `@rebatch/core`': stepOf(packed, LARGE),
    '`batchNormalize` of `@rebatch/core`': stepOf(unpacked, LARGE),
    '`batchNormalization` of `@rebatch/layers`': layerStepOf(batchNormalization(), LARGE),
    '`tf.layers.batchNormalization`': layerStepOf(tfl.layers.batchNormalization(), LARGE),
  };
  const counts = Object.entries(steps).map(([what, step]) => [what, dispatchesOf(step).length]);
  return Object.fromEntries(counts);
}

test('dispatches of a training step are what FEATURES.md says, or "pnpm features" has to be run', async () => {
  const withKernels = countDispatches();
  const [packed, unpacked, layer, stock] = Object.values(withKernels);
  // Moments 2, normalize 1; partial sums, dgamma, dbeta and dx 1 each.
  expect(packed).toBeLessThanOrEqual(7);
  // Mean and variance as two tensors: one each.
  expect(unpacked).toBeLessThanOrEqual(9);
  // The moving mean and the moving variance take a step: one each.
  expect(layer).toBeLessThanOrEqual(9);
  expect(stock).toBe(Object.values(composed)[3]);
  const found = `${JSON.stringify({ shape: LARGE.join(' x '), composed, withKernels }, null, 2)}\n`;
  await expect(found).toMatchFileSnapshot('../../internal/conformance/features/dispatches.json');
});

describe.each([
  { shape: LARGE, axis: -1, groups: undefined },
  { shape: [64, 4, 28, 28], axis: 1, groups: undefined },
  { shape: LARGE, axis: -1, groups: 4 },
  { shape: [32, 10], axis: -1, groups: undefined },
])('a training step of $shape, axis $axis, groups $groups', ({ shape, axis, groups }) => {
  const op: Op = (x, gamma, beta) =>
    packedBatchNormalize(x, { gamma, beta, axis, ...(groups && { groups }) }).y;

  test('is few dispatches', () => {
    // dgamma and dbeta over all groups are sums of their own.
    expect(dispatchesOf(stepOf(op, shape, axis)).length).toBeLessThanOrEqual(groups === undefined ? 7 : 8);
  });

  test('reads nothing back', async () => {
    const reads = [vi.spyOn(tf.backend(), 'read'), vi.spyOn(tf.backend(), 'readSync')];
    const maps = vi.spyOn(GPUBuffer.prototype, 'mapAsync');
    const step = stepOf(op, shape, axis);
    for (let i = 0; i < 3; i++) step();
    await Promise.resolve();
    for (const spy of [...reads, maps]) expect(spy).not.toHaveBeenCalled();
  });
});

test('a step of samples in segments reads nothing back, either', () => {
  const reads = [vi.spyOn(tf.backend(), 'read'), vi.spyOn(tf.backend(), 'readSync')];
  const ids = tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 0], 'int32');
  stepOf((x, gamma, beta) => segmentBatchNormalize(x, ids, 3, { gamma, beta }).y, [8, 6, 6, 16])();
  for (const spy of reads) expect(spy).not.toHaveBeenCalled();
});

test.each([
  { groups: 150, dimensions: 2 },
  { groups: 300, dimensions: 3 },
])(
  'more workgroups than fit in one dimension: $groups in $dimensions of them',
  async ({ groups, dimensions }) => {
    const LIMIT = 16;
    const { device } = tf.backend() as unknown as { device: { limits: object } };
    // In the place of 65,535, which so many workgroups would keep SwiftShader busy for minutes to exceed.
    Object.defineProperty(device.limits, 'maxComputeWorkgroupsPerDimension', {
      value: LIMIT,
      configurable: true,
    });
    const data = Float32Array.from({ length: 2 * groups }, (_, i) => (i % 2 === 0 ? 1 : 3) + (i >> 1) / 1024);
    const x = tf.tensor2d(data, [2 * groups, 1]);
    let out = { y: x as tf.Tensor, mean: x as tf.Tensor, variance: x as tf.Tensor };
    let dx = x as tf.Tensor;
    let sizes: number[][] = [];
    try {
      sizes = dispatchesOf(() => {
        const packed = packedBatchNormalize(x, { groups, epsilon: 0 });
        const [mean, variance] = tf.unstack(packed.moments) as [tf.Tensor, tf.Tensor];
        out = { y: packed.y, mean, variance };
        // The gradient of a pair is 0 whatever comes from above, since y says nothing but which of the two is larger.
        dx = tf.grad((x: tf.Tensor) => packedBatchNormalize(x, { groups, epsilon: 0 }).y)(x, x);
        packed.moments.dispose();
      });
    } finally {
      Reflect.deleteProperty(device.limits, 'maxComputeWorkgroupsPerDimension');
    }
    expect(Math.max(...sizes.flat())).toBeLessThanOrEqual(LIMIT);
    expect(Math.max(...sizes.map((size) => size.filter((n) => n > 1).length))).toBe(dimensions);
    expect(await out.mean.data()).toEqual(Float32Array.from({ length: groups }, (_, g) => 2 + g / 1024));
    expect((await out.variance.data()).every((variance) => variance === 1)).toBe(true);
    expect((await out.y.data()).every((value, i) => value === (i % 2 === 0 ? -1 : 1))).toBe(true);
    expect(Math.max(...(await dx.data()).map(Math.abs))).toBeLessThan(1e-5);
    tf.dispose([x, out.y, out.mean, out.variance, dx]);
  },
);

test('leaves no tensor and no memory of the device behind', async () => {
  const inUse = async () => {
    // A read submits the queue, which gives back what was disposed while its programs waited.
    const probe = tf.tidy(() => onDevice([2000]));
    await probe.data();
    probe.dispose();
    const { numTensors, numDataBuffers, numBytesInGPU } = tf.memory() as ReturnType<typeof tf.memory> & {
      numBytesInGPU: number;
    };
    return { numTensors, numDataBuffers, numBytesInGPU };
  };
  for (const groups of [1, 4]) {
    const op: Op = (x, gamma, beta) => batchNormalize(x, { gamma, beta, groups }).y;
    const step = stepOf(op, LARGE);
    step();
    const before = await inUse();
    step();
    expect(await inUse()).toEqual(before);
  }
});
