// What the tests of folding share. Not published.

import { randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { type BatchNormalization, batchNormalization, foldBatchNorm } from '../index.ts';

type Tensors = tf.Tensor | tf.Tensor[];

export const predict = (model: tfl.LayersModel, x: Tensors) =>
  tf.tidy(() => [model.predict(x) as Tensors].flat().map((y) => y.dataSync<'float32'>().slice()));

/** Folds, and expects the same outputs to 1e-5, and the model to be as it was. */
export function foldAndCompare(model: tfl.LayersModel, seed = 3) {
  const xs = model.inputs.map(({ shape }, at) =>
    randomTensor([3, ...(shape.slice(1) as number[])], seed + at),
  );
  const x = xs.length === 1 ? xs[0]! : xs;
  const before = { y: predict(model, x), weights: weightValues(model), json: model.toJSON(null, false) };
  const result = foldBatchNorm(model);
  const y = predict(result.model, x);
  for (const [i, values] of y.entries()) expectClose(values, before.y[i]!, 1e-5, 'folded');
  expect(predict(model, x)).toEqual(before.y);
  expect(weightValues(model)).toEqual(before.weights);
  expect(model.toJSON(null, false)).toEqual(before.json);
  tf.dispose(xs);
  return result;
}

export function sequence(...all: tfl.layers.Layer[]): tfl.Sequential {
  const model = tfl.sequential({ name: 'net', layers: all });
  randomizeWeights(model, 5);
  return model;
}

export function bn(config: object = {}): BatchNormalization {
  return batchNormalization({ name: 'bn', ...config });
}

export function randomized(model: tfl.LayersModel): tfl.LayersModel {
  randomizeWeights(model, 5);
  return model;
}

export function functional(build: (x: tfl.SymbolicTensor) => unknown): tfl.LayersModel {
  const x = tfl.input({ shape: [4] });
  return randomized(tfl.model({ inputs: x, outputs: build(x) as tfl.SymbolicTensor }));
}
