// What every failure is checked for: a model that is bit by bit as it was, layers without hooks, no tensor left.
import type { DataBatch, RecalibrationData } from '@rebatch/models';
import { cut, makeBlocks, makeSequential, tensorOf, weightsOf } from '@rebatch/test-models';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import type { RecalibrationOptions } from './options.ts';
import { recalibrate } from './recalibrate.ts';

export const WIDTH = 4;
const random = seededRandom(3);
export const blocks = makeBlocks(random, [WIDTH, 5, 3]);
export const rows = cut(random.normals(32 * WIDTH), WIDTH, 8);
export const modes = ['batch', 'layerwise'] as const;

export const poisoned = (value: number) => {
  const batch = rows[2]!.slice();
  batch[5] = value;
  return [rows[0]!, rows[1]!, batch, rows[3]!];
};

/** A collection that makes new tensors in each pass, as a data set does. */
export const fresh = (
  batches: readonly Float32Array[],
  each: (x: tf.Tensor, i: number) => DataBatch = (x) => x,
) => ({
  *[Symbol.iterator]() {
    for (const [i, batch] of batches.entries()) yield each(tensorOf(batch, WIDTH), i);
  },
});

export function instead(x: tf.Tensor, shape: number[]): tf.Tensor {
  x.dispose();
  return tf.zeros(shape);
}

/** Runs a recalibration that must fail, and returns its error after checking that nothing has changed. */
export async function failure(
  data: RecalibrationData,
  options: RecalibrationOptions,
  model: tfl.LayersModel = makeSequential(blocks),
): Promise<Error> {
  const before = weightsOf(model);
  const { numTensors, numDataBuffers } = tf.memory();
  const { runKernel } = tf.engine();
  const error = await recalibrate(model, data, options).then(
    () => expect.fail('recalibrate was expected to fail'),
    (reason: unknown) => reason as Error,
  );
  expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  expect(weightsOf(model)).toEqual(before);
  for (const layer of model.layers) expect(Object.hasOwn(layer, 'call')).toBe(false);
  expect(tf.engine().runKernel).toBe(runKernel);
  model.dispose();
  return error;
}
