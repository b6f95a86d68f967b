// Many domains: what a layer does with their names grows with their number, not with its square. At these numbers and
// lengths a square would take minutes, so that the tests would not end in time.
import '@tensorflow/tfjs-backend-cpu';
import { withStatistics } from '@rebatch/models';
import { expectClose, referenceBatchNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  DomainLayerError,
  domainBatchNormalization,
  statisticsBank,
  UnknownDomainError,
  withDomain,
} from '../index.ts';
import { denseNetwork, randomStatistics } from '../network.test.support.ts';

const MANY = 50_000;
/** Alike until their last characters, as paths of files are: comparing two of them takes long. */
const names = Array.from({ length: MANY }, (_, i) => `${'/a/folder'.repeat(60)}/${i}`);
const population = { statistics: { train: 'shared', population: 'shared' } } as const;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(['scope', 'input', 'application'] as const)('fifty thousand domains from %s', (from) => {
  test('are checked and counted', () => {
    const layer = domainBatchNormalization({ domains: names, from, ...population });
    expect(layer.domains).toHaveLength(MANY);
    const saved = layer.getConfig().domains as { name: string }[];
    expect(saved.at(-1)!.name).toBe(names.at(-1));
  });

  test('and the one that comes twice is found', () => {
    const domains = [...names.slice(0, -1), names[7]!];
    const make = () => domainBatchNormalization({ domains, from, ...population });
    expect(make).toThrow(DomainLayerError);
    expect(make).toThrow(`to differ, got '${names[7]}' twice`);
  });
});

test('one is at hand in a scope, of all that there are', () => {
  const layer = domainBatchNormalization({ domains: names, inputShape: [2], ...population });
  const model = tfl.sequential({ layers: [layer] });
  const values = seededRandom(1).normals(8);
  const x = tf.tensor2d(values, [4, 2]);
  const y = withDomain(model, names.at(-1)!, () => model.apply(x, { training: true }) as tf.Tensor);
  const layout = { outer: 4, channels: 2, inner: 1, groups: 1 };
  const affine = { gamma: [1, 1], beta: [0, 0], epsilon: 1e-3 };
  expectClose(y.dataSync(), referenceBatchNorm(values, layout, affine), 1e-5);
  expect(() => withDomain(model, 'another', () => model.predict(x))).toThrow(UnknownDomainError);
  tf.dispose([x, y]);
  model.dispose();
});

test('samples of many domains go through the layers of each, and come back in their order', () => {
  // 300 domains with 20 samples each, mixed: the statistics of each are measured by itself, by a tool.
  const [count, samples] = [300, 20];
  const domains = names.slice(0, count);
  const layer = domainBatchNormalization({ domains, from: 'input' });
  const [image, ids] = [tfl.input({ shape: [2] }), tfl.input({ shape: [1], dtype: 'int32' })];
  const model = tfl.model({ inputs: [image, ids], outputs: layer.apply([image, ids]) as tfl.SymbolicTensor });
  const rows = count * samples;
  const random = seededRandom(5);
  const values = random.normals(2 * rows, 1, 2);
  const numbers = Int32Array.from({ length: rows }, (_, row) => (row * 7919) % count);
  const inputs = [tf.tensor2d(values, [rows, 2]), tf.tensor2d(numbers, [rows, 1], 'int32')];
  const y = tf.tidy(() => withStatistics(model, 'batch', () => model.apply(inputs) as tf.Tensor).dataSync());
  const expected = new Float64Array(2 * rows);
  for (let domain = 0; domain < count; domain++) {
    const own = [...numbers.keys()].filter((row) => numbers[row] === domain);
    const picked = own.flatMap((row) => [values[2 * row]!, values[2 * row + 1]!]);
    const layout = { outer: own.length, channels: 2, inner: 1, groups: 1 };
    const normalized = referenceBatchNorm(picked, layout, { gamma: [1, 1], beta: [0, 0], epsilon: 1e-3 });
    own.forEach((row, i) => {
      expected.set(normalized.slice(2 * i, 2 * i + 2), 2 * row);
    });
  }
  expectClose(y, expected, 1e-5);
  tf.dispose(inputs);
  model.dispose();
});

test('a bank of many domains is saved and loaded', () => {
  const model = denseNetwork([2, 2]);
  const [bank, other] = [statisticsBank(model), statisticsBank(model)];
  const [day] = [randomStatistics({ bn0: 2 }, 1)];
  const some = names.slice(0, 5000);
  for (const name of some) bank.set(name, day);
  expect(other.load(bank.save())).toEqual([...some].sort());
  other.use(some[17]!);
  expect(other.current).toBe(some[17]);
  bank.dispose();
  other.dispose();
  model.dispose();
});
