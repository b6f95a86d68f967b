import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import { held, makeBlocks, makeSequential, weightsOf } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { StatisticsError } from '../errors.ts';
import { applyStatistics, captureStatistics } from './statistics.ts';

const random = seededRandom(5);
const blocks = makeBlocks(random, [4, 5, 3]);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const some = (model: tfl.LayersModel) =>
  captureStatistics(model).then((all) =>
    all.map(({ name, mean }) => ({
      name,
      mean: random.normals(mean.length, 0, 10),
      variance: random.normals(mean.length).map((v) => v * v),
    })),
  );

test('what was captured goes back bit by bit, without leaving a tensor', async () => {
  const model = makeSequential(blocks);
  applyStatistics(model, await some(model));
  const before = weightsOf(model);
  const { numTensors, numDataBuffers } = tf.memory();
  const captured = await captureStatistics(model);
  const other = await some(model);
  applyStatistics(model, other);
  expect([...held(model, 'bn1').mean]).toEqual([...other[1]!.mean]);
  expect(weightsOf(model)).not.toEqual(before);
  applyStatistics(model, captured);
  expect(weightsOf(model)).toEqual(before);
  expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  model.dispose();
});

test('captured statistics are copies, and plain enough for JSON', async () => {
  const model = makeSequential(blocks);
  const captured = await captureStatistics(model);
  applyStatistics(model, await some(model));
  expect([...(captured[0]!.mean as Float64Array)]).toEqual([3, 3, 3, 3, 3]);
  expect(captured.map(({ name }) => name)).toEqual(['bn0', 'bn1']);
  model.dispose();
});

test.each<[string, (list: { name: string; mean: Float32Array; variance: Float32Array }[]) => void]>([
  ['2 batch normalization layers \\(bn0, bn1\\), got 1', (list) => list.pop()],
  [
    "layer 'bn1', got those of 'bn0'",
    (list) => {
      list[1] = list[0]!;
    },
  ],
  [
    "'bn1'.*2 means and 3 variances for 3 channels",
    (list) => {
      list[1]!.mean = new Float32Array(2);
    },
  ],
  [
    "'bn1'.*mean NaN for channel 2",
    (list) => {
      list[1]!.mean[2] = Number.NaN;
    },
  ],
  [
    "'bn0'.*variance -1 for channel 0",
    (list) => {
      list[0]!.variance[0] = -1;
    },
  ],
])('statistics that do not fit: %s', async (message, spoil) => {
  const model = makeSequential(blocks);
  const statistics = await some(model);
  spoil(statistics);
  const before = weightsOf(model);
  expect(() => applyStatistics(model, statistics)).toThrow(StatisticsError);
  expect(() => applyStatistics(model, statistics)).toThrow(new RegExp(message));
  expect(weightsOf(model)).toEqual(before);
  model.dispose();
});

test('a write that fails undoes those before it', async () => {
  const model = makeSequential(blocks);
  const before = weightsOf(model);
  const { numTensors, numDataBuffers } = tf.memory();
  const last = (model.getLayer('bn1') as tfl.layers.Layer & { movingVariance: tfl.LayerVariable })
    .movingVariance;
  last.write = () => {
    throw new Error('out of memory');
  };
  const statistics = await some(model);
  expect(() => applyStatistics(model, statistics)).toThrow('out of memory');
  expect(weightsOf(model)).toEqual(before);
  expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  model.dispose();
});
