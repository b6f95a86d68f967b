// Training steps of batch normalization on the WebGPU backend. Import this after `startDawn`.

import '@rebatch/kernels-webgpu';
import { batchNormalize } from '@rebatch/core';
import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { jaxContender } from '../peers/jax.ts';
import type { Contender } from '../peers/peer.ts';
import { EPSILON } from '../peers/problem.ts';

/** The part of the backend, and of its device, that is used here. */
interface WebGPUBackend {
  readonly device: Device;
  readonly queue: { submit(commands: object[]): void; onSubmittedWorkDone(): Promise<void> };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

interface Device {
  createBuffer(options: { size: number; usage: number }): { destroy(): void };
  createCommandEncoder(): {
    copyBufferToBuffer(from: object, fromAt: number, to: object, toAt: number, size: number): void;
    finish(): object;
  };
}

/** `GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST`. */
const COPY = 0x4 | 0x8;

async function webgpu(): Promise<WebGPUBackend> {
  if (tf.getBackend() !== 'webgpu' && !(await tf.setBackend('webgpu'))) {
    throw new Error('the webgpu backend does not start');
  }
  return tf.backend() as unknown as WebGPUBackend;
}

/** Waits until the device has done what was asked of it: a run only asks. */
async function finish(): Promise<void> {
  const backend = await webgpu();
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

interface Inputs {
  readonly x: tf.Tensor;
  readonly dy: tf.Tensor;
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
}

/** The same numbers for the same shape on each call. Large tensors repeat a smaller one: noise takes long to make. */
async function makeInputs(shape: readonly number[]): Promise<Inputs> {
  await webgpu();
  const [samples, ...rest] = shape as [number, ...number[]];
  const repeats = [samples / 2, ...rest.map(() => 1)];
  const noise = (seed: number, mean: number, deviation: number) =>
    tf.tidy(() => tf.tile(tf.randomNormal([2, ...rest], mean, deviation, 'float32', seed), repeats));
  const channels = shape.at(-1)!;
  const perChannel = (seed: number, mean: number) =>
    // Through an op, so that it lies on the device as weights do in the middle of training.
    tf.tidy(() => tf.add(tf.randomNormal([channels], mean, 0.2, 'float32', seed), tf.zeros([channels])));
  return { x: noise(1, 0.5, 2), dy: noise(2, 0, 1), gamma: perChannel(3, 1), beta: perChannel(4, 0) };
}

type Step = (inputs: Inputs) => { value: tf.Tensor; grads: tf.Tensor[] };

async function contender(
  shape: readonly number[],
  makeStep: () => Step,
  more: tf.Tensor[] = [],
): Promise<Contender> {
  const inputs = await makeInputs(shape);
  const step = makeStep();
  return {
    prepare: async () => void (await webgpu()),
    run: () => {
      const { value, grads } = step(inputs);
      tf.dispose([value, grads]);
    },
    finish,
    solve: async () => {
      const { value, grads } = step(inputs);
      const [y, dx, dgamma, dbeta] = await Promise.all([value, ...grads].map((tensor) => tensor.data()));
      tf.dispose([value, grads]);
      return { y: y!, dx: dx!, dgamma: dgamma!, dbeta: dbeta! };
    },
    dispose: () => tf.dispose([...Object.values(inputs), ...more]),
  };
}

/** A layer's training path, moving averages included: ours or the stock one. */
export function layerContender(whose: 'ours' | 'stock', shape: readonly number[]): Promise<Contender> {
  const weights: tf.Tensor[] = [];
  const makeStep = (): Step => {
    const options = { epsilon: EPSILON };
    const layer = whose === 'ours' ? batchNormalization(options) : tfl.layers.batchNormalization(options);
    layer.build([...shape]);
    const apply = tf.valueAndGrads((x) => layer.apply(x!, { training: true }) as tf.Tensor);
    const [gamma, beta] = layer.weights.map((weight) => weight.read()) as [tf.Tensor, tf.Tensor];
    weights.push(...layer.weights.map((weight) => weight.read()));
    return ({ x, dy }) => apply([x, gamma, beta], dy);
  };
  return contender(shape, makeStep, weights);
}

/** The op alone: y, and the gradients of x, gamma and beta. */
export function opContender(shape: readonly number[]): Promise<Contender> {
  return contender(shape, () => {
    const apply = tf.valueAndGrads((...args: tf.Tensor[]) => {
      const [x, gamma, beta] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D];
      return batchNormalize(x, { gamma, beta, epsilon: EPSILON }).y;
    });
    return ({ x, dy, gamma, beta }) => apply([x, gamma, beta], dy);
  });
}

/** jax-js on a device of its own, with the gradients that it derives. */
export async function jaxGpuContender(shape: readonly number[]): Promise<Contender> {
  const tensors = await makeInputs(shape);
  const read = async (tensor: tf.Tensor) => Float32Array.from(await tensor.data());
  try {
    const [x, dy] = [await read(tensors.x), await read(tensors.dy)];
    const [gamma, beta] = [await read(tensors.gamma), await read(tensors.beta)];
    const problem = { shape, axis: shape.length - 1, x, dy, gamma, beta };
    return await jaxContender(problem, 'derived', 'webgpu');
  } finally {
    tf.dispose(Object.values(tensors));
  }
}

/** As many copies of a buffer of that many floats, from one place in the device's memory to another. */
export async function copies(count: number, floats: number) {
  const { device, queue } = await webgpu();
  const size = floats * 4;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size, usage: COPY }));
  return {
    run: () => {
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < count; i++) encoder.copyBufferToBuffer(from!, 0, to!, 0, size);
      queue.submit([encoder.finish()]);
    },
    finish: () => queue.onSubmittedWorkDone(),
    dispose: () => {
      from!.destroy();
      to!.destroy();
    },
  };
}
