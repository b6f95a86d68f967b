// Every kind of data gives the same result, and every tensor is disposed by whom it belongs to.
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import type { RecalibrationData } from '@rebatch/models';
import { cut, makeBlocks, makeSequential, tensorOf } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { estimateStatistics } from './recalibrate.ts';

const WIDTH = 4;
const random = seededRandom(21);
const model = () => makeSequential(makeBlocks(seededRandom(2), [WIDTH, 5, 3]));
const rows = cut(random.normals(20 * WIDTH), WIDTH, 1);
const batches = cut(Float32Array.from(rows.flatMap((row) => [...row])), WIDTH, 8);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const kinds: Record<string, () => RecalibrationData> = {
  'a tf.data.Dataset of xs and ys': () => tfd.array(rows.map((row) => ({ xs: [...row], ys: 1 }))).batch(8),
  'a tf.data.Dataset of tensors': () => tfd.array(rows.map((row) => [...row])).batch(8),
  'an iterable': () => ({
    *[Symbol.iterator]() {
      for (const batch of batches) yield tensorOf(batch, WIDTH);
    },
  }),
  'an async iterable with labels': () => ({
    async *[Symbol.asyncIterator]() {
      for (const batch of batches) yield { xs: tensorOf(batch, WIDTH), ys: tf.zeros([2]) };
    },
  }),
  'an iterable of lists of inputs': () => ({
    *[Symbol.iterator]() {
      for (const batch of batches) yield [tensorOf(batch, WIDTH)];
    },
  }),
  'an iterable of inputs by name': () => ({
    *[Symbol.iterator]() {
      for (const batch of batches) yield { xs: { dense0_input: tensorOf(batch, WIDTH) } };
    },
  }),
};

describe.each(['batch', 'layerwise'] as const)("mode '%s'", (mode) => {
  test.each(Object.entries(kinds))('%s gives what an array gives, and is disposed', async (_, make) => {
    const net = model();
    const xs = batches.map((batch) => tensorOf(batch, WIDTH));
    const expected = await estimateStatistics(net, xs, { mode });
    expect(xs.some(({ isDisposed }) => isDisposed)).toBe(false);
    await expectNoLeaks(tf, async () => {
      const { statistics } = await estimateStatistics(net, make(), { mode });
      expect(statistics).toEqual(expected.statistics);
    });
    // Left early, too.
    await expectNoLeaks(tf, () => estimateStatistics(net, make(), { mode, samples: 5 }));
    tf.dispose(xs);
    net.dispose();
  });

  test('a tensor is one batch', async () => {
    const net = model();
    const x = tensorOf(Float32Array.from(rows.flatMap((row) => [...row])), WIDTH);
    const { report } = await estimateStatistics(net, x, { mode });
    expect(report).toMatchObject({ samples: 20, batches: 1 });
    expect(x.isDisposed).toBe(false);
    x.dispose();
    net.dispose();
  });
});

test('a generator serves a single pass', async () => {
  const net = model();
  function* stream() {
    for (const batch of batches) yield tensorOf(batch, WIDTH);
  }
  await expectNoLeaks(tf, async () => {
    expect((await estimateStatistics(net, stream())).report.batches).toBe(3);
  });
  net.dispose();
});

test('several inputs as a list need as many tensors, of as many samples', async () => {
  const inputs = [tfl.input({ shape: [WIDTH], name: 'one' }), tfl.input({ shape: [WIDTH], name: 'two' })];
  const sum = tfl.layers.add().apply(inputs) as tfl.SymbolicTensor;
  const outputs = tfl.layers.batchNormalization().apply(sum) as tfl.SymbolicTensor;
  const net = tfl.model({ inputs, outputs });
  const [x, y, short] = [tf.ones([3, WIDTH]), tf.ones([3, WIDTH]), tf.ones([2, WIDTH])];
  const { statistics } = await estimateStatistics(net, [[x, y]]);
  expect([...statistics[0]!.mean]).toEqual([2, 2, 2, 2]);
  await expect(estimateStatistics(net, [x])).rejects.toThrow(
    /tensors for the 2 inputs one, two.*single tensor/,
  );
  await expect(estimateStatistics(net, [[x]])).rejects.toThrow(/array of 1 items/);
  await expect(estimateStatistics(net, [{ xs: { one: x } as never }])).rejects.toThrow(/members one/);
  await expect(estimateStatistics(net, [[x, short]])).rejects.toThrow(/3 for input 'one' and 2 for 'two'/);
  tf.dispose([x, y, short]);
  net.dispose();
});
