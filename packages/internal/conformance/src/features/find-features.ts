// Finds out what the current backend computes with kernels, what with composed ops, and what not at all: the rows of
// FEATURES.md. Each feature is run, and what runs is looked at.
import {
  batchMoments,
  batchNormalize,
  jointBatchNormalize,
  normalize,
  normalizePart,
  segmentBatchNormalize,
  segmentNormalize,
} from '@rebatch/core';
import { movingAverage, packedBatchMoments } from '@rebatch/core/~internal';
import { KERNELS } from '@rebatch/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { UPSTREAM_OPS, type UpstreamOp } from './upstream-ops.ts';

/** What was found, by the names of the features. */
export interface Features {
  /** 'fused' where kernels of ours do it all, 'composed' where none of them runs, else which of them do. */
  readonly batchNorm: Readonly<Record<string, string>>;
  /** Ops with an input or output of at least the size of x, in one forward and backward of `batchNormalize`. */
  readonly largeOps: number;
  /** TensorFlow.js's own ops that training needs: 'ours', 'upstream', 'wrong' or 'missing'. */
  readonly ops: Readonly<Record<string, string>>;
}

/** The file that a backend's features are kept in. */
export const fileOf = (name: string) => `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`;

const SHAPE = [6, 5, 4, 3];
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const SIZE = sizeOf(SHAPE);
// They share memory; the last is a custom gradient as a whole, what runs inside of it has entries of its own.
const FREE = ['Identity', 'Reshape', 'unnamed scope'];

const FORWARD = [KERNELS.moments, KERNELS.normalize];
const ALL = [...FORWARD, KERNELS.backwardReduce, KERNELS.backwardInput];
/** What one kernel does in the place of others. */
const covered = (kernel: string) =>
  kernel === KERNELS.backward ? [kernel, KERNELS.backwardReduce, KERNELS.backwardInput] : [kernel];

/** Each feature as a function of x, whose gradient is taken where the backward pass belongs to it. */
const BATCH_NORM: Readonly<
  Record<string, { run: (x: tf.Tensor) => tf.Tensor; kernels: readonly string[]; backward?: boolean }>
> = {
  batchMoments: { run: (x) => batchMoments(x).variance, kernels: [KERNELS.moments] },
  'normalize, by given moments': {
    run: (x) => normalize(x, constants([3])),
    kernels: [KERNELS.normalize],
  },
  'batchNormalize, forward': { run: (x) => batchNormalize(x).y, kernels: FORWARD },
  'batchNormalize, forward and backward': { run: (x) => batchNormalize(x).y, kernels: ALL, backward: true },
  'batchNormalize, in groups': {
    run: (x) => batchNormalize(x, { groups: 2 }).y,
    kernels: ALL,
    backward: true,
  },
  'batchNormalize, channels along axis 1': {
    run: (x) => batchNormalize(x, { axis: 1 }).y,
    kernels: ALL,
    backward: true,
  },
  segmentBatchNormalize: { run: (x) => segmentBatchNormalize(x, ids(), 2).y, kernels: ALL, backward: true },
  segmentNormalize: {
    run: (x) => segmentNormalize(x, ids(), constants([2, 3])),
    kernels: [KERNELS.normalize],
  },
  jointBatchNormalize: {
    run: (x) => jointBatchNormalize([x, tf.ones([2, 3])]).ys[0]!,
    kernels: ALL,
    backward: true,
  },
  normalizePart: {
    run: (x) => normalizePart(x, { ...constants([3]), count: 240, sumOverParts: (own) => own }),
    kernels: ALL.slice(1),
    backward: true,
  },
  'movingAverage, of a layer': {
    run: (x) => movingAverage(constants([3]), packedBatchMoments(x), 0.9).mean,
    kernels: [KERNELS.movingAverage],
  },
};

const constants = (shape: number[]) => ({ mean: tf.zeros(shape), variance: tf.ones(shape) });
const ids = () => tf.tensor1d([0, 1, 1, 0, 0, 1], 'int32');

/**
 * Runs every feature.
 *
 * @param own names of the kernels of TensorFlow.js's that ours take the place of, or add.
 */
export async function findFeatures(own: readonly string[]): Promise<Features> {
  const batchNorm: Record<string, string> = {};
  let largeOps = 0;
  for (const [name, { run, kernels, backward = false }] of Object.entries(BATCH_NORM)) {
    const ran = await kernelsOf(run, backward);
    const done = ran.flatMap((one) => covered(one.name));
    const fused = kernels.filter((kernel) => done.includes(kernel));
    if (fused.length === kernels.length) batchNorm[name] = 'fused';
    else batchNorm[name] = fused.length === 0 ? 'composed' : `fused: ${fused.join(', ')}`;
    if (name === 'batchNormalize, forward and backward') largeOps = ran.filter((one) => one.large).length;
  }
  const ops: Record<string, string> = {};
  for (const [name, op] of Object.entries(UPSTREAM_OPS)) ops[name] = await originOf(op, own);
  return { batchNorm, largeOps, ops };
}

/** The kernels that run, and whether each has an input or output of at least the size of x. */
async function kernelsOf(
  run: (x: tf.Tensor) => tf.Tensor,
  backward: boolean,
): Promise<{ readonly name: string; readonly large: boolean }[]> {
  const x = tf.randomNormal(SHAPE, 1, 2, 'float32', 1);
  const { kernels } = await tf.profile(() => {
    tf.tidy(() => void (backward ? tf.grad(run)(x) : run(x)));
  });
  x.dispose();
  return kernels
    .filter(({ name }) => !FREE.includes(name))
    .map(({ name, inputShapes, outputShapes }) => ({
      name,
      large: [...inputShapes, ...outputShapes].some((shape) => sizeOf(shape ?? [0]) >= SIZE),
    }));
}

/** Runs an op, so that only what works counts. */
async function originOf({ kernel, run, right }: UpstreamOp, own: readonly string[]): Promise<string> {
  let made: tf.Tensor | undefined;
  try {
    made = tf.tidy(run);
    const values = await made.data();
    if (right?.some((value, i) => value !== values[i])) return 'wrong';
    return own.includes(kernel) ? 'ours' : 'upstream';
  } catch {
    return 'missing';
  } finally {
    made?.dispose();
  }
}
