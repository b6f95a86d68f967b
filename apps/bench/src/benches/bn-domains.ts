// What normalizing several domains in one batch costs, against one normalization batch of as many values.

import {
  batchNormalize,
  jointBatchNormalize,
  normalize,
  segmentBatchNormalize,
  segmentNormalize,
} from '@rebatch/core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure, type Side } from '../measure.ts';

const MAIN = [64, 28, 28, 64];
const DENSE = [1024, 256];
const LEVELS = [
  [16, 28, 28, 64],
  [16, 14, 14, 64],
  [16, 7, 7, 64],
];
/** At most 1.5 times the time of the single-domain op. */
const TARGET = 1 / 1.5;

export const bnDomains: Bench = {
  name: 'bn-domains',
  summary: 'forward + backward of a batch from several domains, against a batch from one',
  cases: () => [
    ...[2, 4, 8].map((domains) => mixedCase(`${domains} domains`, MAIN, domains)),
    mixedCase('8 domains, pooled', MAIN, 8, { pooled: true }),
    mixedCase('8 domains, affine each', MAIN, 8, { affinePerDomain: true }),
    ...[2, 8].map((domains) => mixedCase(`${domains} domains, dense`, DENSE, domains)),
    mixedCase('8 domains, few values each', [64, 7, 7, 256], 8),
    mixedCase('8 domains, channel axis 1', [64, 64, 28, 28], 8, { axis: 1 }),
    levelsCase(),
    inferenceCase('8 domains, inference', MAIN, 8),
    inferenceCase('8 domains, dense inference', DENSE, 8),
  ],
};

interface Mix {
  readonly pooled?: boolean;
  readonly affinePerDomain?: boolean;
  readonly axis?: number;
}

/** Every domain has samples all over the batch, as a shuffled mixture does. */
function mixedCase(name: string, shape: readonly number[], domains: number, mix: Mix = {}): BenchCase {
  const { pooled = false, affinePerDomain = false, axis = -1 } = mix;
  const channels = shape.at(axis)!;
  return domainsCase(name, shape, 'batchNormalize, 1 domain', () => {
    const [x, dy] = [randomTensor(shape, 1, 0.5, 2), randomTensor(shape, 2)];
    const ids = mixedIds(shape[0]!, domains);
    const one = affineOf([channels]);
    const each = affinePerDomain ? affineOf([domains, channels]) : one;
    return [
      trainingSide([x], each, [dy], ([x], affine) => [
        segmentBatchNormalize(x!, ids, domains, { axis, pooled, ...affine }).y,
      ]),
      trainingSide([x], one, [dy], ([x], affine) => [batchNormalize(x!, { axis, ...affine }).y]),
    ];
  });
}

/** Three levels of a feature pyramid together, against one tensor of as many values. */
function levelsCase(): BenchCase {
  const rows = LEVELS.reduce((total, [n, h, w]) => total + n! * h! * w!, 0);
  return domainsCase('3 levels, joint', [rows, 64], 'batchNormalize, 1 tensor', () => {
    const affine = affineOf([64]);
    const whole = [randomTensor([rows, 64], 1, 0.5, 2), randomTensor([rows, 64], 2)] as const;
    const xs = LEVELS.map((shape, level) => randomTensor(shape, 3 + level, 0.5, 2));
    const dys = LEVELS.map((shape, level) => randomTensor(shape, 6 + level));
    return [
      trainingSide(xs, affine, dys, (xs, affine) => jointBatchNormalize(xs, affine).ys),
      trainingSide([whole[0]], affine, [whole[1]], ([x], affine) => [batchNormalize(x!, affine).y]),
    ];
  });
}

/** By population statistics, forward alone. */
function inferenceCase(name: string, shape: readonly number[], domains: number): BenchCase {
  const channels = shape.at(-1)!;
  return domainsCase(name, shape, 'normalize, 1 domain', () => {
    const x = randomTensor(shape, 1, 0.5, 2);
    const ids = mixedIds(shape[0]!, domains);
    const affine = affineOf([channels]);
    const momentsOf = (shape: number[]) => ({ mean: randomTensor(shape, 5), variance: tf.ones(shape) });
    const [one, each] = [momentsOf([channels]), momentsOf([domains, channels])];
    return [
      { run: () => segmentNormalize(x, ids, each, affine).dispose() },
      { run: () => normalize(x, one, affine).dispose() },
    ];
  });
}

/** What `sides` makes is disposed when they have been measured. */
function domainsCase(
  name: string,
  shape: readonly number[],
  peer: string,
  sides: () => readonly [ours: Side, peer: Side],
): BenchCase {
  const run = async () => {
    await useBackend('wasm');
    tf.engine().startScope();
    try {
      return await measure(...sides());
    } finally {
      tf.engine().endScope();
    }
  };
  return { case: name, backend: 'wasm', shape: formatShape(shape), peer, target: TARGET, measure: run };
}

function mixedIds(samples: number, domains: number): tf.Tensor1D {
  const order = Array.from(tf.randomUniform([samples], 0, 1, 'float32', 5).dataSync());
  return tf.tensor1d(
    order.map((_, i) => order.filter((other) => other < order[i]!).length % domains),
    'int32',
  );
}

interface AffineTensors {
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
}

/** One training step of `op` alone: the gradients of all that goes in, for the dys of all that comes out. */
function trainingSide(
  xs: readonly tf.Tensor[],
  { gamma, beta }: AffineTensors,
  dys: readonly tf.Tensor[],
  op: (xs: tf.Tensor[], affine: AffineTensors) => tf.Tensor[],
): Side {
  // tf.grads takes functions of one output. This one costs nothing, and its gradients are the dys.
  const loss = tf.customGrad(() => ({ value: tf.scalar(0), gradFunc: () => [...dys] }));
  const gradients = tf.grads((...all: tf.Tensor[]) => {
    const [gamma, beta] = all.slice(xs.length) as [tf.Tensor, tf.Tensor];
    return loss(...op(all.slice(0, xs.length), { gamma, beta }));
  });
  return { run: () => tf.tidy(() => void gradients([...xs, gamma, beta])) };
}

function affineOf(shape: number[]): AffineTensors {
  return { gamma: randomTensor(shape, 3, 1, 0.2), beta: randomTensor(shape, 4) };
}
