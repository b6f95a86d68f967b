// Ours on the WASM backend, for the problems that peers are given.

import { batchNormalize } from '@rebatch/core';
import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../backends.ts';
import type { Contender } from './peer.ts';
import { EPSILON, type Problem } from './problem.ts';

/** The op: y, and with `backward` the gradients of x, gamma and beta, too. */
export async function oursOp(problem: Problem, { backward }: { backward: boolean }): Promise<Contender> {
  await useBackend('wasm');
  const { axis } = problem;
  const x = tf.tensor(problem.x, [...problem.shape]);
  const dy = tf.tensor(problem.dy, [...problem.shape]);
  const gamma = tf.tensor1d(problem.gamma);
  const beta = tf.tensor1d(problem.beta);
  const forward = (x: tf.Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D) =>
    batchNormalize(x, { gamma, beta, axis, epsilon: EPSILON }).y;
  const gradients = tf.valueAndGrads((...args: tf.Tensor[]) =>
    forward(args[0]!, args[1] as tf.Tensor1D, args[2] as tf.Tensor1D),
  );
  const solve = () =>
    tf.tidy(() => {
      const { value, grads } = backward
        ? gradients([x, gamma, beta], dy)
        : { value: forward(x, gamma, beta), grads: [] };
      const [y, dx, dgamma, dbeta] = [value, ...grads];
      return { y: y!, dx, dgamma, dbeta };
    });
  return {
    run: () => tf.dispose(solve()),
    solve: () => read(solve()),
    dispose: () => tf.dispose([x, dy, gamma, beta]),
  };
}

/** The layer's forward pass in training mode, moving averages included. */
export async function oursLayer(problem: Problem): Promise<Contender> {
  await useBackend('wasm');
  const x = tf.tensor(problem.x, [...problem.shape]);
  const layer = batchNormalization({ axis: problem.axis, epsilon: EPSILON });
  layer.build(x.shape);
  tf.tidy(() => {
    const moving = layer.getWeights().slice(2);
    layer.setWeights([tf.tensor1d(problem.gamma), tf.tensor1d(problem.beta), ...moving]);
  });
  const solve = () => tf.tidy(() => ({ y: layer.apply(x, { training: true }) as tf.Tensor }));
  return {
    run: () => tf.dispose(solve()),
    solve: () => read(solve()),
    // A layer that belongs to no model has no `dispose` of its own that works.
    dispose: () => tf.dispose([x, ...layer.weights.map((weight) => weight.read())]),
  };
}

function read<Name extends string>(tensors: Record<Name, tf.Tensor | undefined>): Record<Name, Float32Array> {
  const entries = Object.entries<tf.Tensor | undefined>(tensors);
  const present = entries.filter((entry): entry is [string, tf.Tensor] => entry[1] !== undefined);
  const arrays = present.map(([name, tensor]) => [name, Float32Array.from(tensor.dataSync())]);
  tf.dispose(present.map(([, tensor]) => tensor));
  return Object.fromEntries(arrays);
}
