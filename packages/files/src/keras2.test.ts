// Keras 2's files: the same networks as Keras 3's must predict the same, whatever way the file was written.

import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { openModel, readH5, UnsupportedLayerError } from './index.ts';
import { fixture, predictions } from './testing/fixtures.ts';
import { predict } from './testing/run.ts';

beforeAll(() => tf.setBackend('cpu'));

const decoder = new TextDecoder();

describe('the network of Keras 3', () => {
  it.each([
    ['cnn', 'cnn.h5'],
    ['cnn', 'cnn-chunked.h5'],
    ['cnn', 'cnn.keras'],
    ['nested', 'nested.h5'],
  ])('%s predicts the same from %s', async (network, name) => {
    const before = await predict(await openModel([fixture('keras3', `${network}.keras`)]));
    const after = await predict(await openModel([fixture('keras2', name)]));
    expect(after).toEqual(before);
  });

  it.each([
    ['keras2', 'cnn-weights.h5', 'keras2', 'cnn-weights.json'],
    ['keras3', 'cnn.weights.h5', 'keras3', 'cnn.json'],
  ] as const)(
    'predicts the same from the weights of %s in %s and a configuration',
    async (from, name, has, json) => {
      const config = decoder.decode(fixture(has, json).bytes);
      const before = await predict(await openModel([fixture('keras3', 'cnn.keras')]));
      expect(await predict(await readH5([fixture(from, name)], { config }))).toEqual(before);
      expect(await predict(await readH5([fixture(from, name)], { config: JSON.parse(config) }))).toEqual(
        before,
      );
    },
  );
});

describe('other names of batch normalization', () => {
  it.each(['sync.h5', 'v1.h5', 'v2.h5'])('in %s predict as batch normalization does', async (name) => {
    const model = await openModel([fixture('keras2', name)]);
    const [output] = await predict(model);
    const wanted = predictions().cnn![0]!.values;
    for (const [i, value] of output!.values.entries()) expect(value).toBeCloseTo(wanted[i]!, 5);
    expect(model.notes.length).toBeGreaterThan(0);
  });

  it('in the namespace of experiments do, too', async () => {
    const text = decoder.decode(fixture('keras2', 'cnn-weights.json').bytes);
    const config = text.replaceAll('"BatchNormalization"', '"experimental>SyncBatchNormalization"');
    expect(config).not.toBe(text);
    const model = await readH5([fixture('keras2', 'cnn-weights.h5')], { config });
    expect(await predict(model)).toEqual(await predict(await openModel([fixture('keras2', 'cnn.h5')])));
    expect(model.notes.join()).toMatch(/'stem_bn' was synchronized in training/);
  });

  it('keep what they were set to, for who computes it', async () => {
    const configOf = async (name: string) => {
      const { artifacts } = await openModel([fixture('keras2', name)]);
      const topology = artifacts.modelTopology as { model_config: { config: { layers: unknown[] } } };
      return topology.model_config.config.layers[3] as { class_name: string; config: object };
    };
    expect(await configOf('sync.h5')).toMatchObject({
      class_name: 'BatchNormalization',
      config: { synchronized: true, axis: 3 },
    });
    expect(await configOf('v2.h5')).toMatchObject({
      class_name: 'BatchNormalization',
      config: { virtual_batch_size: 8 },
    });
  });
});

describe('weights of type', () => {
  const KERNEL = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5];
  /** float64 reference of the dense layer on sin(0.37 i + 1). */
  const wanted = (kernel: readonly number[], bias: readonly number[]) =>
    [0, 1].flatMap((row) =>
      [0, 1].map((unit) =>
        [0, 1, 2].reduce(
          (sum, i) => sum + Math.sin(0.37 * (3 * row + i) + 1) * kernel[2 * i + unit]!,
          bias[unit]!,
        ),
      ),
    );

  it.each([
    ['f4', { dtype: 'float32' }],
    ['f8', { dtype: 'float32' }],
    ['f2', { dtype: 'float32', quantization: { dtype: 'float16' } }],
    ['big-endian', { dtype: 'float32' }],
  ])('%s predict what they say', async (type, spec) => {
    const model = await openModel([fixture('keras2', `dense-${type}.h5`)]);
    expect(model.artifacts.weightSpecs).toEqual([
      { name: 'only/kernel', shape: [3, 2], ...spec },
      { name: 'only/bias', shape: [2], ...spec },
    ]);
    const [output] = await predict(model);
    for (const [i, value] of wanted(KERNEL, [1, 2]).entries())
      expect(output!.values[i]).toBeCloseTo(value, 5);
  });

  it('i8 become int32', async () => {
    const { artifacts } = await openModel([fixture('keras2', 'dense-i8.h5')]);
    expect(artifacts.weightSpecs!.map(({ dtype }) => dtype)).toEqual(['int32', 'int32']);
    // NumPy cuts 2.5 to 2.
    expect([...new Int32Array(artifacts.weightData as ArrayBuffer)]).toEqual([-2, -1, 0, 0, 1, 2, 1, 2]);
  });
});

it('a list of names that was too long for one attribute is put together', async () => {
  const { artifacts } = await openModel([fixture('keras2', 'split.h5')]);
  expect(artifacts.weightSpecs!.map(({ name }) => name)).toEqual(['only/kernel', 'only/bias']);
});

it('the optimizer of a file is left where it is', async () => {
  const { artifacts } = await openModel([fixture('keras2', 'cnn.h5')]);
  expect(artifacts.weightSpecs!.every(({ name }) => !name.includes('Adam'))).toBe(true);
});

describe('a model with a layer of its own', () => {
  it('opens once its weights are named', async () => {
    const config = {
      class_name: 'Sequential',
      config: {
        name: 'mine',
        layers: [{ class_name: 'MyDense', config: { name: 'only', batch_input_shape: [null, 3] } }],
      },
    };
    await expect(readH5([fixture('keras2', 'dense-f4.h5')], { config })).rejects.toThrow(
      UnsupportedLayerError,
    );
    const customLayers = { MyDense: ['kernel', 'bias'] };
    const { artifacts } = await readH5([fixture('keras2', 'dense-f4.h5')], { config, customLayers });
    expect(artifacts.weightSpecs!.map(({ name }) => name)).toEqual(['only/kernel', 'only/bias']);
  });
});
