// What applyStatistics takes: numbers in arrays from anyone, and anything at all from captureStatistics.
import '@tensorflow/tfjs-backend-cpu';
import { makeBlocks, makeSequential, setWeights, weightsOf } from '@rebatch/test-models';
import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StatisticsError } from '../errors.ts';
import { applyStatistics, captureStatistics, type ModelStatistics } from './statistics.ts';

const EPSILON = 1e-3;
const blocks = makeBlocks(seededRandom(8), [4, 3, 2]);
let model: tfl.LayersModel;

beforeEach(async () => {
  await tf.setBackend('cpu');
  model = makeSequential(blocks);
});
afterEach(() => model.dispose());

const good = () => [
  { name: 'bn0', mean: [1, 2, 3], variance: [4, 5, 6] },
  { name: 'bn1', mean: [1, 2], variance: [4, 5] },
];

/** Refused, with the model bit by bit as it was and no tensor left. */
function expectRefused(statistics: unknown, message: RegExp = /./): void {
  const [before, { numTensors }] = [weightsOf(model), tf.memory()];
  const act = () => applyStatistics(model, statistics as ModelStatistics);
  expect(act).toThrow(StatisticsError);
  expect(act).toThrow(message);
  expect(weightsOf(model)).toEqual(before);
  expect(tf.memory().numTensors).toBe(numTensors);
}

describe('is refused, since it would be taken for numbers otherwise:', () => {
  const inPlaceOfANumber: unknown[] = [
    ...[null, undefined, true, false, '', '7', 'x', [], [5], [[5]], {}, new Number(5), 5n],
    ...[Number.NaN, Number.POSITIVE_INFINITY, 1e39, { valueOf: () => 5 }, Symbol('5'), () => 5],
  ];
  test.each(inPlaceOfANumber.map((value, i) => [i, value] as const))(
    'in the place of a number, %i',
    (_, value) => {
      for (const key of ['mean', 'variance'] as const) {
        for (const channel of [0, 2]) {
          const statistics = good();
          (statistics[0]![key] as unknown[])[channel] = value;
          expectRefused(statistics, new RegExp(`Layer 'bn0'.*${key} .* for channel ${channel}`, 's'));
        }
      }
    },
  );

  const inPlaceOfAnArray: unknown[] = [
    ...[null, undefined, true, 3, '123', { length: 3 }, { 0: 1, 1: 2, 2: 3, length: 3 }, () => 1],
    ...[new DataView(new ArrayBuffer(3)), new Set([1, 2, 3]), new ArrayBuffer(12)],
  ];
  test.each(inPlaceOfAnArray.map((value, i) => [i, value] as const))(
    'in the place of an array, %i',
    (_, value) => {
      for (const key of ['mean', 'variance'] as const) {
        const statistics = good();
        (statistics[0] as Record<string, unknown>)[key] = value;
        expectRefused(statistics, /Layer 'bn0': expected .*, got .* for the (mean|variance)s/s);
      }
    },
  );

  test('arrays of bigints, with holes, or of another length', () => {
    const [first, second] = good();
    expectRefused([{ ...first, mean: BigInt64Array.of(1n, 2n, 3n) }, second], /mean a bigint for channel 0/);
    expectRefused([{ ...first, mean: new Array(3) }, second], /mean undefined for channel 0/);
    expectRefused([{ ...first, mean: [1, 2] }, second], /2 means and 3 variances for 3 channels/);
    expectRefused([{ ...first, variance: new Array(1e9) }, second], /3 means and 1000000000 variances/);
  });

  const inPlaceOfTheList: unknown[] = [
    null,
    undefined,
    7,
    'statistics',
    {},
    { length: 2 },
    new Map(),
    () => 1,
  ];
  test.each(inPlaceOfTheList.map((value, i) => [i, value] as const))(
    'in the place of the list, %i',
    (_, value) => {
      expectRefused(value, /Expected statistics as a list of \{name, mean, variance\}, .*2 batch norm/);
    },
  );

  const inPlaceOfAnEntry: unknown[] = [
    null,
    undefined,
    7,
    'bn0',
    [],
    {},
    { name: { toString: 1 } },
    { name: null },
  ];
  test.each(inPlaceOfAnEntry.map((value, i) => [i, value] as const))(
    'in the place of an entry, %i',
    (_, value) => {
      expectRefused([value, good()[1]], /Entry 0: expected the statistics of layer 'bn0'/);
      expectRefused([good()[0], value], /Entry 1: expected the statistics of layer 'bn1'/);
    },
  );

  test('what JSON makes of NaN, which was written as zeros', () => {
    const broken = good();
    broken[0]!.mean[0] = Number.NaN;
    broken[0]!.variance = [Number.NaN, Number.NaN, Number.NaN];
    expectRefused(JSON.parse(JSON.stringify(broken)), /mean null for channel 0/);
  });

  test('a captured list that went through JSON is one of numbers, not of objects', async () => {
    const captured = await captureStatistics(model);
    // A Float64Array becomes an object with the members 0, 1, 2 in JSON.
    expectRefused(JSON.parse(JSON.stringify(captured)), /an object with 0, 1, 2 for the means/);
    const lists = captured.map(({ name, mean, variance }) => ({
      name,
      mean: Array.from(mean),
      variance: Array.from(variance),
    }));
    const before = weightsOf(model);
    applyStatistics(model, good());
    applyStatistics(model, JSON.parse(JSON.stringify(lists)));
    expect(weightsOf(model)).toEqual(before);
  });
});

test('lists and every typed array of numbers are taken, rounded to float32', () => {
  for (const make of [Array, Float32Array, Float64Array, Int32Array, Uint8ClampedArray] as const) {
    const numbers = (...values: number[]) => (make as ArrayConstructor).from(values);
    applyStatistics(model, [
      { name: 'bn0', mean: numbers(1, 2, 3), variance: numbers(4, 5, 6) },
      { name: 'bn1', mean: numbers(7, 8), variance: numbers(9, 10) },
    ]);
    const bn0 = model.getLayer('bn0').getWeights().slice(2);
    expect(bn0.map((tensor) => [...tensor.dataSync()])).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  }
});

describe('a layer without an epsilon', () => {
  const exact = () => {
    const one = tfl.sequential({
      layers: [tfl.layers.batchNormalization({ epsilon: 0, name: 'exact', inputShape: [2] })],
    });
    // Variances that a layer holds already, whatever they are, go back.
    one.layers[0]!.setWeights([tf.ones([2]), tf.zeros([2]), tf.zeros([2]), tf.tensor1d([0, 1])]);
    return one;
  };
  const put = (of: tfl.LayersModel, variance: number[]) =>
    applyStatistics(of, [{ name: 'exact', mean: [0, 0], variance }]);

  test.each([0, -0, 1e-50, -1e-9])('is not given a variance of %d, which it would divide by', (variance) => {
    const one = exact();
    const before = weightsOf(one);
    const act = () => put(one, [4, variance]);
    expect(act).toThrow(StatisticsError);
    expect(act).toThrow(
      /'exact'.* variance > 0, since the layer adds no epsilon, per channel, got variance .* channel 1/,
    );
    expect(weightsOf(one)).toEqual(before);
    one.dispose();
  });

  test('is given any above 0 that float32 knows, and its own back', async () => {
    const one = exact();
    const captured = await captureStatistics(one);
    put(one, [4, 2 ** -126]);
    const y = one.predict(tf.tensor2d([[2, 2 ** -60]])) as tf.Tensor;
    expect([...y.dataSync()]).toEqual([1, 8]);
    applyStatistics(one, captured);
    expect([...one.layers[0]!.getWeights()[3]!.dataSync()]).toEqual([0, 1]);
    one.dispose();
  });
});

describe('what was captured goes back bit by bit, whatever it is:', () => {
  /** The bits of the statistics that a layer holds. */
  const bitsOf = (name: string) =>
    model
      .getLayer(name)
      .getWeights()
      .slice(2)
      .map((tensor) => [...new Uint32Array(Float32Array.from(tensor.dataSync()).buffer)]);
  const hold = (mean: number[], variance: number[]) =>
    setWeights(model.getLayer('bn0'), [
      Float32Array.of(1, 1, 1),
      Float32Array.of(0, 0, 0),
      Float32Array.from(mean),
      Float32Array.from(variance),
    ]);

  const states: [string, number[], number[]][] = [
    ['variances slightly below zero', [0, -0, 5e-39], [-1e-9, -5e-4, 1]],
    ['variances far below zero', [1, 2, 3], [-1, -1e30, 0]],
    ['NaN', [Number.NaN, 1, 2], [1, Number.NaN, 2]],
    ['infinities', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0], [Number.POSITIVE_INFINITY, 1, 1]],
  ];
  test.each(states)('%s', async (_, mean, variance) => {
    hold(mean, variance);
    const [before, other] = [bitsOf('bn0'), bitsOf('bn1')];
    const captured = await captureStatistics(model);
    const { numTensors } = tf.memory();
    applyStatistics(model, good());
    expect(bitsOf('bn0')).not.toEqual(before);
    applyStatistics(model, captured);
    expect([bitsOf('bn0'), bitsOf('bn1')]).toEqual([before, other]);
    // Again, in another list, and on another model with the same layers.
    applyStatistics(model, good());
    applyStatistics(
      model,
      captured.map((layer) => ({ ...layer })),
    );
    expect([bitsOf('bn0'), bitsOf('bn1')]).toEqual([before, other]);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test('but not what was changed since, and no copies, which are as anybody’s', async () => {
    hold([Number.NaN, 1, 2], [1, 1, -2]);
    const captured = await captureStatistics(model);
    const copies = captured.map(({ name, mean, variance }) => ({
      name,
      mean: Array.from(mean),
      variance: Array.from(variance),
    }));
    expectRefused(copies, /Layer 'bn0'.*mean NaN for channel 0/);
    const [first, second] = captured as unknown as { mean: Float64Array; variance: Float64Array }[];
    first!.mean[1] = 7;
    expectRefused(captured, /Layer 'bn0'.*mean NaN for channel 0/);
    first!.mean[1] = 1;
    second!.variance[0] = Number.NaN;
    expectRefused(captured, /Layer 'bn1'.*variance NaN for channel 0/);
  });

  test('variances that the layer can run on are anybody’s to bring, and survive JSON', () => {
    const slightly = good();
    slightly[0]!.variance = [-1e-9, -0.99 * EPSILON, 0];
    applyStatistics(model, JSON.parse(JSON.stringify(slightly)));
    expect([...model.getLayer('bn0').getWeights()[3]!.dataSync()]).toEqual([
      Math.fround(-1e-9),
      Math.fround(-0.99 * EPSILON),
      0,
    ]);
    const y = model.predict(tf.ones([2, 4])) as tf.Tensor;
    expect(y.dataSync().every(Number.isFinite)).toBe(true);
    y.dispose();
    for (const variance of [-EPSILON, -2 * EPSILON, -1]) {
      const broken = good();
      broken[0]!.variance[1] = variance;
      expectRefused(broken, /variance -.* for channel 1/);
    }
  });
});
