import { layersModel } from '@rebatch/models';
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchesOf } from './data.ts';
import { inspect } from './inspect.ts';
import { classesOf, makeModel, makeNetwork, precise, toTensors } from './network.test.support.ts';
import type { InspectionProgress } from './options.ts';
import type { InspectionReport } from './report.ts';
import { chooser, ROUND } from './roles.ts';

const WIDTH = 5;
const random = seededRandom(21);
const network = makeNetwork(random, [WIDTH, 6, 5, 3]);
const batches = Array.from({ length: 14 }, () => random.normals(8 * WIDTH));
const labels = batches.map((batch) => classesOf(network, batch));
let model: tfl.Sequential;

beforeAll(async () => {
  await tf.setBackend('cpu');
  model = makeModel(network, precise(network, batches));
});
afterAll(() => model.dispose());

const numbers = ({ seconds, ...rest }: InspectionReport) => rest;
const data = () => toTensors(batches, WIDTH, labels);

describe('any kind of data gives the same report', () => {
  let expected: object;
  beforeAll(async () => {
    const tensors = data();
    expected = numbers(await inspect(model, tensors));
    tf.dispose(tensors);
  });

  test.each<[string, () => unknown]>([
    [
      'a generator',
      function* () {
        yield* data();
      },
    ],
    [
      'an async generator',
      async function* () {
        yield* data();
      },
    ],
    ['a set', () => new Set(data())],
    [
      'a dataset',
      () =>
        tfd.generator(function* () {
          yield* data();
        }),
    ],
  ])('%s, whose tensors are disposed', async (_, make) => {
    await expectNoLeaks(tf, async () => {
      const made = make();
      const report = await inspect(model, made as never);
      expect(numbers(report)).toEqual(expected);
    });
  });

  test('one-hot labels', async () => {
    const integers = data();
    const hot = integers.map(({ xs, ys }) => ({ xs, ys: tf.oneHot(ys!, 3) }));
    const report = await inspect(model, hot);
    tf.dispose([integers, hot]);
    expect(numbers(report)).toEqual(expected);
  });

  test('batches of another size, cut and joined on the way', async () => {
    const whole = tf.tidy(() => {
      const pairs = data();
      return { xs: tf.concat(pairs.map(({ xs }) => xs)), ys: tf.concat(pairs.map(({ ys }) => ys!)) };
    });
    const report = await inspect(model, [whole], { batchSize: 8 });
    expect(numbers(report)).toEqual(expected);
    tf.dispose(whole);
  });
});

test('an unlabeled tensor is data, too; samples and progress are what was asked for', async () => {
  const x = tf.randomNormal([100, WIDTH], 0, 1, 'float32', 3);
  const seen: InspectionProgress[] = [];
  const report = await inspect(model, x, {
    batchSize: 10,
    samples: 60,
    onProgress: (progress) => seen.push(progress),
  });
  expect(report).toMatchObject({ samples: 60, batches: 6, batchSize: 10, errors: null });
  expect(seen.map(({ phase }) => phase)).toEqual([...Array(6).fill('statistics'), 'accumulation']);
  x.dispose();
});

test("'auto' stops when the precise statistics are", async () => {
  let pulled = 0;
  function* endless() {
    for (;;) yield tf.randomNormal([32, WIDTH], 0, 1, 'float32', pulled++);
  }
  const report = await inspect(model, endless(), { samples: 'auto', tolerance: 0.05 });
  expect(report.batches).toBeLessThan(60);
  expect(Math.max(...report.layers.map(({ shift }) => shift!.standardErrors.mean))).toBeLessThan(0.06);
});

test('cutting keeps every sample in its place', async () => {
  const subject = layersModel(
    tfl.sequential({ layers: [tfl.layers.batchNormalization({ inputShape: [1] })] }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 7 }),
      async (sizes, size) => {
        const total = sizes.reduce((a, b) => a + b);
        fc.pre(total >= size);
        const tensors = tf.memory().numTensors;
        let next = 0;
        const source = sizes.map((n) => ({
          xs: tf.tensor2d(
            Array.from({ length: n }, () => [next++]),
            [n, 1],
          ),
        }));
        const out: number[][] = [];
        const options = { batchSize: size, labels: false, all: true };
        for await (const { inputs, samples } of batchesOf(source, subject, options)) {
          expect(samples).toBe(size);
          out.push([...(await inputs[0]!.data())]);
          tf.dispose([...inputs]);
        }
        tf.dispose(source);
        expect(out.every((batch) => batch.length === size)).toBe(true);
        expect(out.flat()).toEqual(Array.from({ length: Math.floor(total / size) * size }, (_, i) => i));
        expect(tf.memory().numTensors).toBe(tensors);
      },
    ),
    { numRuns: 60 },
  );
});

test('roles: one batch of each round is held out and another is measured layer by layer, by the seed', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const choose = chooser(seed);
      const chosen = Array.from({ length: 5 * ROUND }, (_, i) => choose(i, true));
      for (let round = 0; round < 5; round++) {
        const part = chosen.slice(round * ROUND, (round + 1) * ROUND);
        expect(part.filter(({ heldOut }) => heldOut)).toHaveLength(1);
        expect(part.filter(({ pooled }) => pooled)).toHaveLength(1);
        expect(part.filter(({ heldOut, pooled }) => heldOut && pooled)).toHaveLength(0);
      }
      expect([1, 2]).toContain(chosen.findIndex(({ heldOut }) => heldOut));
      const again = chooser(seed);
      expect(Array.from({ length: 5 * ROUND }, (_, i) => again(i, true))).toEqual(chosen);
    }),
  );
});

describe('models of other forms', () => {
  test('a layer that is applied twice is measured layer by layer in passes', async () => {
    const input = tfl.input({ shape: [4] });
    const shared = tfl.layers.batchNormalization({ name: 'shared' });
    const dense = tfl.layers.dense({
      units: 4,
      kernelInitializer: tfl.initializers.glorotUniform({ seed: 1 }),
    });
    const [left, right] = [input, dense.apply(input)].map((x) => shared.apply(x) as tfl.SymbolicTensor);
    const output = tfl.layers.add().apply([left!, right!]) as tfl.SymbolicTensor;
    const two = tfl.model({ inputs: input, outputs: output });
    const tensors = Array.from({ length: 40 }, (_, i) => tf.randomNormal([16, 4], 1, 2, 'float32', i));
    const report = await inspect(two, tensors);
    expect(report.layers).toMatchObject([{ name: 'shared', applications: 2, valuesPerBatch: 16 }]);
    expect(report.accumulation!.batches).toBeGreaterThan(1);
    // Nothing normalized before either application, so there is nothing to accumulate.
    expect(report.layers[0]!.estimationShift!.mean.max).toBeLessThan(1e-5);
    expect(report.layers[0]!.noise!.mean).toBeGreaterThan(0.15);
    expect(report.layers[0]!.noise!.mean).toBeLessThan(0.35);
    tf.dispose(tensors);
    two.dispose();
  });

  test('several inputs, by name or in order', async () => {
    const inputs = ['a', 'b'].map((name) => tfl.input({ shape: [3], name }));
    const joined = tfl.layers.concatenate().apply(inputs) as tfl.SymbolicTensor;
    const output = tfl.layers.batchNormalization().apply(joined) as tfl.SymbolicTensor;
    const both = tfl.model({ inputs, outputs: output });
    const pairs = Array.from(
      { length: 8 },
      (_, i) =>
        [
          tf.randomNormal([16, 3], 0, 1, 'float32', i),
          tf.randomNormal([16, 3], 5, 1, 'float32', 99 + i),
        ] as const,
    );
    const classes = pairs.map(() => tf.zeros([16], 'int32'));
    const ordered = pairs.map(([a, b], i) => ({ xs: [a, b], ys: classes[i] }));
    const named = pairs.map(([a, b], i) => ({ xs: { b, a }, ys: classes[i] }));
    const [first, second] = [await inspect(both, ordered), await inspect(both, named)];
    expect(numbers(first)).toEqual(numbers(second));
    // Six channels, of which the last three are 5 off.
    expect(first.layers[0]!.shift!.mean.max).toBeGreaterThan(4.5);
    tf.dispose([...pairs.flat(), ...classes]);
    both.dispose();
  });
});

test('a model that was built for batches of one is inspected with batches of any size', async () => {
  const fixed = makeModel(network, precise(network, batches), 1);
  expect(fixed.inputs[0]!.shape).toEqual([1, WIDTH]);
  const tensors = data();
  const [expected, report] = [await inspect(model, tensors), await inspect(fixed, tensors)];
  expect(numbers(report)).toEqual(numbers(expected));
  expect(report.accumulation!.batches).toBeGreaterThan(1);
  const joined = await inspect(fixed, tensors, { batchSize: 16 });
  expect(joined).toMatchObject({ batchSize: 16, batches: 7 });
  tf.dispose(tensors);
  fixed.dispose();
});
