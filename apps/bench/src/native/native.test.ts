// That both libraries build the same network, on a small one that has every step; where there is no PyTorch, that the case
// says so.

import { spawnSync } from 'node:child_process';
import { relativeError } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { makeProblem } from '../peers/make-problem.ts';
import { oursOp } from '../peers/ours.ts';
import type { Network, Step } from './network.ts';
import { joined, MOMENTUM, oursNetwork, oursReplicas, RATE } from './ours.ts';
import { torchNetwork, torchNorm } from './torch.ts';

const installed = spawnSync('/usr/bin/python3', ['-c', 'import torch']).status === 0;
const conv = (filters: number, kernel: number, stride: number): Step => ({
  op: 'conv',
  filters,
  kernel,
  stride,
});
const network: Network = {
  name: 'all steps',
  input: [8, 8, 3],
  steps: [
    conv(4, 3, 1),
    { op: 'norm' },
    { op: 'relu' },
    { op: 'residual', main: [conv(8, 3, 2), { op: 'norm' }], shortcut: [conv(8, 1, 2)] },
    { op: 'depthwise', filters: 0, kernel: 3, stride: 1 },
    { op: 'halve' },
    { op: 'flatten' },
    { op: 'dense', units: 10 },
  ],
};

test('a step of training gives the same loss and the same weights, and leaves no tensor behind', async () => {
  const before = tf.memory().numTensors;
  const ours = await oursNetwork(network, 8);
  const common = { network, batch: 8, rate: RATE, momentum: MOMENTUM, values: ours.values };
  const starting = torchNetwork({ ...common, threads: 1, layout: 'channels_last' });
  if (installed) {
    const peer = await starting;
    const [theirs, expected] = [await peer.solve(), await ours.solve()];
    expect(theirs.length).toBe(expected.length);
    expect(relativeError(theirs, expected)).toBeLessThan(1e-3);
    // The second step has momentum.
    expect(relativeError(await peer.solve(), await ours.solve())).toBeLessThan(1e-3);
    await peer.run();
    await peer.dispose();
  } else {
    await expect(starting).rejects.toThrow(expect.objectContaining({ name: 'NotMeasuredError' }));
  }
  await ours.dispose();
  // TensorFlow.js keeps the rate of an optimizer that was disposed.
  expect(tf.memory().numTensors).toBe(before + 1);
});

test('replicas come to the same as one thread', async () => {
  // A layer that is called otherwise than its configuration says is none for other threads.
  const plain = { ...network, steps: network.steps.filter(({ op }) => op !== 'residual') };
  const one = await oursNetwork(plain, 8);
  const two = await oursReplicas(plain, 8, 2, 3);
  for (let step = 0; step < 2; step++) {
    expect(relativeError(await two.solve(), await one.solve())).toBeLessThan(1e-5);
  }
  await two.run();
  for (let step = 0; step < 3; step++) await one.run();
  expect(relativeError(await two.solve(), await one.solve())).toBeLessThan(1e-4);
  await Promise.all([one.dispose(), two.dispose()]);
});

test('batch normalization alone gives the same, in either layout', async () => {
  const problem = makeProblem([4, 5, 6, 7], -1);
  const ours = await oursOp(problem, { backward: true });
  const { y, dx, dgamma, dbeta } = await ours.solve();
  ours.dispose();
  const values = [problem.x, problem.dy, problem.gamma, problem.beta];
  for (const layout of ['default', 'channels_last'] as const) {
    const starting = torchNorm({ shape: problem.shape, threads: 1, layout, values });
    if (!installed) {
      await expect(starting).rejects.toThrow(/python3-torch/);
      continue;
    }
    const peer = await starting;
    expect(relativeError(await peer.solve(), joined([y, dx!, dgamma!, dbeta!]))).toBeLessThan(1e-4);
    await peer.dispose();
  }
});
