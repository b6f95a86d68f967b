// Models that were built for batches of one, as converters write them: stock takes any batch, and so do we.
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import {
  type Block,
  cut,
  EPSILON,
  exactReference,
  held,
  makeBlocks,
  preciseReference,
  setWeights,
  tensorOf,
  withBatches,
} from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { InputShapeError } from './index.ts';
import { recalibrate } from './recalibrate.ts';

const WIDTH = 4;
const random = seededRandom(31);
const blocks = makeBlocks(random, [WIDTH, 5, 3]);
const data = random.normals(30 * WIDTH, 1, 2);
const batches = cut(data, WIDTH, 8);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function fixed(built: readonly Block[]): tfl.Sequential {
  const model = tfl.sequential();
  built.forEach(({ units, inputs, kernel, bias, gamma, beta }, i) => {
    const shape = i === 0 ? { batchInputShape: [1, inputs] } : {};
    model.add(tfl.layers.dense({ units, name: `dense${i}`, ...shape }));
    model.add(tfl.layers.batchNormalization({ epsilon: EPSILON, name: `bn${i}` }));
    model.add(tfl.layers.reLU());
    setWeights(model.getLayer(`dense${i}`), [kernel, bias]);
    setWeights(model.getLayer(`bn${i}`), [
      gamma,
      beta,
      new Float32Array(units),
      new Float32Array(units).fill(1),
    ]);
  });
  return model;
}

describe.each(['batch', 'layerwise'] as const)("mode '%s'", (mode) => {
  test('measures batches of any size', async () => {
    const model = fixed(blocks);
    expect(model.inputs[0]!.shape).toEqual([1, WIDTH]);
    const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode }));
    const expected = mode === 'batch' ? preciseReference(batches, blocks) : exactReference(data, blocks);
    expected.forEach(({ mean, variance }, i) => {
      expectClose(held(model, `bn${i}`).mean, mean, 1e-5, `mean of bn${i}`);
      expectClose(held(model, `bn${i}`).variance, variance, 1e-5, `variance of bn${i}`);
    });
    expect(report).toMatchObject({ samples: 30, batches: 4 });
    model.dispose();
  });

  test('leaves no tensor', async () => {
    const model = fixed(blocks);
    await withBatches(batches, WIDTH, (xs) => expectNoLeaks(tf, () => recalibrate(model, xs, { mode })));
    model.dispose();
  });
});

test('a layer that insists on the size gets it, as in stock', async () => {
  const inner = tfl.layers.dense({ units: 2 });
  const layers = [
    tfl.layers.timeDistributed({ layer: inner, batchInputShape: [2, 3, WIDTH] } as never),
    tfl.layers.batchNormalization({ name: 'bn' }),
  ];
  const model = tfl.sequential({ layers });
  const two = Array.from({ length: 3 }, () => tf.randomNormal([2, 3, WIDTH]));
  for (const mode of ['batch', 'layerwise'] as const) {
    expect((await recalibrate(model, two, { mode })).samples).toBe(6);
  }
  const three = tf.randomNormal([3, 3, WIDTH]);
  const error = await recalibrate(model, [three]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputShapeError);
  expect(String(error)).toMatch(/expected shape \[2, 3, 4\], got \[3, 3, 4\]/);
  tf.dispose([two, three]);
  model.dispose();
});

test('and one that needs more than a single sample is planned with the whole batch', async () => {
  /** Normalizes the difference of the first sample and the others. */
  class Pairs extends tfl.layers.Layer {
    static className = 'Pairs';
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      const x = [inputs].flat()[0]!;
      return tf.tidy(() => tf.sub(tf.slice(x, 1, 2), tf.slice(x, 0, 1)));
    }
  }
  const layers = [new Pairs({ inputShape: [WIDTH] }), tfl.layers.batchNormalization({ name: 'bn' })];
  const model = tfl.sequential({ layers });
  const x = tensorOf(data.slice(0, 3 * WIDTH), WIDTH);
  await expectNoLeaks(tf, () => recalibrate(model, [x], { mode: 'layerwise' }));
  const row = (i: number) => [...data.slice(i * WIDTH, (i + 1) * WIDTH)];
  const [first, second, third] = [row(0), row(1), row(2)] as [number[], number[], number[]];
  const differences = [second, third].map((values) => values.map((value, c) => value - first[c]!));
  const mean = first.map((_, c) => (differences[0]![c]! + differences[1]![c]!) / 2);
  const variance = mean.map((center, c) => (differences[0]![c]! - center) ** 2);
  expectClose(held(model, 'bn').mean, mean, 1e-5);
  expectClose(held(model, 'bn').variance, variance, 1e-5);
  x.dispose();
  model.dispose();
});
