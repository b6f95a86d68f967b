import '@tensorflow/tfjs-backend-cpu';
import { batchNormalize, normalize } from '@rebatch/core';
import { expectClose, referenceBatchNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { InputShapeError, InvalidDataError } from '../errors.ts';
import { layersModel } from '../layers-model/layers-model.ts';
import { readBatch } from './batch.ts';
import { openSource } from './source.ts';

const L = tfl.layers;
const inThree = () => L.batchNormalization({ name: 'bn' });
const lstm = (stateful: boolean) =>
  L.lstm({
    units: 3,
    stateful,
    returnSequences: true,
    recurrentInitializer: 'glorotUniform',
    batchInputShape: [1, 2, 4],
  });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Models that were built for batches of one, as converters write them. Inputs are [1, 2, 4]. */
const FREE: [string, () => tfl.LayersModel][] = [
  [
    'a sequential model',
    () => tfl.sequential({ layers: [L.dense({ units: 3, batchInputShape: [1, 2, 4] }), inThree()] }),
  ],
  [
    'a functional model',
    () => {
      const inputs = tfl.input({ batchShape: [1, 2, 4] });
      return tfl.model({ inputs, outputs: inThree().apply(inputs) as tfl.SymbolicTensor });
    },
  ],
  [
    'a nested model',
    () => {
      const inner = tfl.sequential({ layers: [L.batchNormalization({ batchInputShape: [1, 2, 4] })] });
      return tfl.sequential({ layers: [inner, inThree()] });
    },
  ],
  ['a recurrent one', () => tfl.sequential({ layers: [lstm(false), inThree()] })],
];

describe.each(FREE)('%s with a fixed batch axis of 1', (_, make) => {
  test('takes batches of any size, as stock predict, evaluate and fit do', async () => {
    const model = make();
    const subject = layersModel(model);
    expect(subject.inputs.map(({ shape }) => shape)).toEqual([[null, 2, 4]]);
    const x = tf.randomNormal([5, 2, 4]);
    const batch = readBatch(x, subject, 'Batch 0');
    expect(batch).toMatchObject({ samples: 5, signature: '2x4' });
    const stored = subject.stored();
    const visit: Parameters<typeof subject.run>[1] = (at) =>
      normalize(at.x, stored[at.site]!, subject.sites[at.site]!.options());
    const [y] = subject.run(batch.inputs, visit)!;
    const expected = model.predict(x) as tf.Tensor;
    expect(y!.shape).toEqual(expected.shape);
    expectClose(y!.dataSync(), expected.dataSync(), 1e-6);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.fit(x, tf.zeros(expected.shape), { epochs: 1, verbose: 0 });
    model.dispose();
  });

  test('still has to fit in all else', () => {
    const model = make();
    const wrong = tf.zeros([5, 2, 3]);
    const message = /Batch 3, input '.*': expected shape \[\?, 2, 4\], got \[5, 2, 3\]/;
    expect(() => readBatch(wrong, layersModel(model), 'Batch 3')).toThrow(InputShapeError);
    expect(() => readBatch(wrong, layersModel(model), 'Batch 3')).toThrow(message);
    expect(() => readBatch(tf.zeros([2, 4]), layersModel(model), 'Batch 3')).toThrow(/need a batch axis/);
    expect(() => readBatch(tf.zeros([0, 2, 4]), layersModel(model), 'Batch 3')).toThrow(
      /at least one sample/,
    );
    model.dispose();
  });
});

test('its batch is normalized as a whole', () => {
  const model = FREE[1]![1]();
  const subject = layersModel(model);
  const values = seededRandom(3).normals(5 * 2 * 4, 2, 3);
  const x = tf.tensor3d(values, [5, 2, 4]);
  const [y] = subject.run([x], (at) => batchNormalize(at.x, subject.sites[at.site]!.options()).y)!;
  const layout = { outer: 10, channels: 4, inner: 1, groups: 1 };
  const affine = { gamma: new Float32Array(4).fill(1), beta: new Float32Array(4), epsilon: 1e-3 };
  expectClose(y!.dataSync(), referenceBatchNorm(values, layout, affine), 1e-5);
  model.dispose();
});

test.each<[string, tfl.layers.Layer]>([
  [
    'TimeDistributed',
    L.timeDistributed({ layer: L.dense({ units: 3 }), batchInputShape: [1, 2, 4] } as never),
  ],
  ['a stateful RNN', lstm(true)],
])('where a layer insists on the size, as stock %s does, so does the model', (_, layer) => {
  const model = tfl.sequential({ layers: [layer, inThree()] });
  const subject = layersModel(model);
  expect(subject.inputs[0]!.shape).toEqual([1, 2, 4]);
  const [one, five] = [tf.zeros([1, 2, 4]), tf.zeros([5, 2, 4])];
  expect(readBatch(one, subject, 'Batch 0').samples).toBe(1);
  expect(() => model.apply(five)).toThrow(/incompatible/);
  expect(() => readBatch(five, subject, 'Batch 0')).toThrow(
    'expected shape [1, 2, 4], got [5, 2, 4]. The model was built for batches of 1 and takes no others: cut the data into such.',
  );
  model.dispose();
});

test.each<[unknown, string]>([
  [() => 1, 'a function'],
  ['images', '"images"'],
  [Number.NaN, 'NaN'],
])('%s is no batch and no data, and what came is said in words', (value, came) => {
  const model = layersModel(tfl.sequential({ layers: [L.batchNormalization({ inputShape: [2] })] }));
  const read = () => readBatch(value, model, 'Batch 3');
  expect(read).toThrow(InvalidDataError);
  expect(read).toThrow(`Batch 3: expected a tensor (or {xs, ys} with such xs), got ${came}.`);
  expect(() => openSource(value as never)).toThrow(`got ${came}. Put a single {xs, ys} into an array.`);
});

test('numbers of another dtype are for tf.layers to cast; texts are none, and are refused by name', () => {
  const model = tfl.sequential({ layers: [L.batchNormalization({ inputShape: [2], name: 'bn' })] });
  const subject = layersModel(model);
  const [{ name } = { name: '' }] = subject.inputs;
  expect(readBatch(tf.tensor2d([[1, 2]], [1, 2], 'int32'), subject, 'Batch 0').samples).toBe(1);
  const texts = () => readBatch(tf.tensor2d([['a', 'b']], [1, 2], 'string'), subject, 'Batch 3');
  expect(texts).toThrow(InvalidDataError);
  expect(texts).toThrow(`Batch 3, input '${name}': expected a tensor of float32, got one of string.`);
  model.dispose();
});

test('outputs have the names of the layers that give them, those of a sequential model too', () => {
  const model = tfl.sequential({ layers: [L.batchNormalization({ inputShape: [2], name: 'bn' })] });
  const functional = tfl.model({ inputs: model.inputs, outputs: model.outputs });
  for (const own of [model, functional])
    expect(layersModel(own).outputs).toEqual([{ name: 'bn', shape: [null, 2] }]);
  expect(functional.outputNames).toEqual(['bn']);
  model.dispose();
});
