import '@tensorflow/tfjs-backend-cpu';
import { BatchNormalization, batchNormLayers, convert } from '@rebatch/layers';
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Subject } from './forward.ts';
import { inspect } from './inspect.ts';
import { classesOf, makeModel, makeNetwork, type Statistics, toTensors } from './network.test.support.ts';
import { chooser } from './roles.ts';
import { runsOf } from './runs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const subject = (shape: (number | null)[]) =>
  ({ model: { inputs: [{ name: 'x', shape }] }, backend: 'cpu' }) as unknown as Subject;
const ANY = subject([null, 4]);
const [SMALL, LARGE] = [2 ** 20, 3 * 2 ** 20];
const batch = (samples: number, signature = '4') => ({ samples, signature });
const sizes = (runs: readonly (readonly unknown[])[]) => runs.map(({ length }) => length);

test('batches that are alike run as one, as long as they are small', () => {
  const batches = Array.from({ length: 10 }, () => batch(8));
  expect(sizes(runsOf(ANY, batches, SMALL))).toEqual([4, 4, 2]);
  expect(runsOf(ANY, batches, SMALL).flat()).toEqual(batches);
  expect(sizes(runsOf(ANY, batches, LARGE))).toEqual(Array(10).fill(1));
  // Nothing is known of a site that no batch of that kind has reached.
  expect(sizes(runsOf(ANY, batches, 0))).toEqual([10]);
  expect(runsOf(ANY, [], SMALL)).toEqual([]);
});

test('other sizes and other shapes begin a run of their own', () => {
  const mixed = [batch(8), batch(8), batch(6), batch(8, '5'), batch(8, '5'), batch(8)];
  expect(sizes(runsOf(ANY, mixed, 1))).toEqual([2, 1, 2, 1]);
});

test('a model of one batch size takes one batch', () => {
  expect(sizes(runsOf(subject([8, 4]), [batch(8), batch(8)], 1))).toEqual([1, 1]);
});

describe('errors of held-out batches are those of each, against float64 loops', () => {
  const [width, count] = [5, 24];
  const random = seededRandom(17);
  const network = makeNetwork(random, [width, 6, 4, 3]);
  const batches = Array.from({ length: count }, (_, i) => random.normals((i % 5 === 3 ? 9 : 12) * width));
  const stored = [6, 4].map((units) => ({
    mean: Float64Array.from(random.normals(units, 0, 0.25)),
    variance: new Float64Array(units).fill(2),
  }));
  const labels = batches.map((values) =>
    Int32Array.from({ length: values.length / width }, () => Math.floor(3 * random.uniform())),
  );
  const choose = chooser(0);
  const heldOut = batches.flatMap((_, i) => (choose(i, true).heldOut ? [i] : []));
  const rate = (statistics?: readonly Statistics[]) => {
    const wrong = heldOut.map((i) => {
      const classes = classesOf(network, batches[i]!, statistics);
      return labels[i]!.filter((label, j) => label !== classes[j]).length;
    });
    const samples = heldOut.reduce((sum, i) => sum + labels[i]!.length, 0);
    return wrong.reduce((sum, own) => sum + own, 0) / samples;
  };

  test.each([
    ['a stock model', (model: tfl.Sequential) => model],
    ['a converted one', (model: tfl.Sequential) => convert(model)],
    [
      // A layer's own choice is not looked at: batches are as they come.
      'one whose layers split batches in training',
      (model: tfl.Sequential) => {
        for (const layer of batchNormLayers(convert(model))) {
          if (layer instanceof BatchNormalization) layer.normalizationBatchSize = 4;
        }
        return model;
      },
    ],
  ])('%s', async (_, made) => {
    const model = made(makeModel(network, stored));
    await expectNoLeaks(tf, async () => {
      const seen: number[] = [];
      const data = toTensors(batches, width, labels);
      const { errors } = await inspect(model, data, {
        onProgress: ({ phase, batches }) => phase === 'errors' && seen.push(batches),
      });
      expect(errors!.batches).toBe(4);
      expect(errors!.stored.error).toBeCloseTo(rate(stored), 12);
      expect(errors!.batch.error).toBeCloseTo(rate(), 12);
      expect(seen).toEqual([1, 2, 3, 4]);
      tf.dispose(data);
    });
    model.dispose();
  });
});
