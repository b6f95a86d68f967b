// What a training step costs in dispatches and reads, by what reaches the device, whatever TensorFlow.js calls it. Times
// would say nothing on SwiftShader; these numbers are the same on any adapter.
import { batchNormalize, packedBatchNormalize } from '@rebatch/core';
import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import './index.ts';

beforeAll(async () => {
  if (!(await tf.setBackend('webgpu'))) throw new Error('this browser has no webgpu');
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** On the device, as in the middle of a network: the backend computes with small tensors of the host's on the host. */
const onDevice = (shape: number[]) => tf.add(tf.randomNormal(shape), tf.ones(shape));

interface Pass {
  dispatchWorkgroups(...sizes: number[]): void;
}

function countDispatches(step: () => void): number {
  const { GPUComputePassEncoder } = globalThis as unknown as { GPUComputePassEncoder: { prototype: Pass } };
  const spy = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
  step();
  const { length } = spy.mock.calls;
  spy.mockRestore();
  return length;
}

/** y, and the gradients of x, gamma and beta. */
function stepOf(op: (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => tf.Tensor, shape: number[]) {
  const channels = shape.at(-1)!;
  const inputs = [onDevice(shape), onDevice([channels]), onDevice([channels])];
  const dy = onDevice(shape);
  return () => {
    const { value, grads } = tf.valueAndGrads(op)(inputs, dy);
    tf.dispose([value, grads]);
  };
}

test('dispatches', () => {
  const shape = [16, 28, 28, 64];
  const op = stepOf((x, gamma, beta) => batchNormalize(x, { gamma, beta }).y, shape);
  const packed = stepOf((x, gamma, beta) => packedBatchNormalize(x, { gamma, beta }).y, shape);
  console.log(`packed op: ${countDispatches(packed)}`);
  console.log(`op: ${countDispatches(op)}`);
  const layerStep = (layer: tfl.layers.Layer) => {
    layer.build(shape);
    const [gamma, beta] = layer.weights.map((weight) => weight.read());
    const x = onDevice(shape);
    const dy = onDevice(shape);
    return () => {
      const gradients = tf.grads(() => layer.apply(x, { training: true }) as tf.Tensor);
      tf.tidy(() => void gradients([x, gamma!, beta!], dy));
    };
  };
  console.log(`layer: ${countDispatches(layerStep(batchNormalization()))}`);
  console.log(`tf.layers: ${countDispatches(layerStep(tfl.layers.batchNormalization()))}`);
  expect(1).toBe(1);
});
