// What models from Keras say that tf.layers passes over.
import { randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import {
  BatchNormalization,
  batchNormalization,
  batchNormLayers,
  convert,
  freezeBatchNorm,
  InvalidInputError,
  unfreezeBatchNorm,
} from './index.ts';

await tf.setBackend('cpu');

/** A model of one layer, as Keras writes it. */
function sequential(className: string, more: object) {
  const config = {
    ...{ name: 'bn', trainable: true, dtype: 'float32', batch_input_shape: [null, 2], axis: [1] },
    ...{ momentum: 0.5, epsilon: 0.001, center: true, scale: true },
    ...more,
  };
  const layers = [{ class_name: className, config }];
  return { model_config: { class_name: 'Sequential', config: { name: 'keras', layers } } };
}

/** A functional model: input, a batch normalization for each of the calls, all on the input, and what adds them up. */
function functional(calls: readonly object[], layer = 'bn') {
  const input = {
    class_name: 'InputLayer',
    name: 'in',
    config: { name: 'in', batch_input_shape: [null, 2], dtype: 'float32' },
    inbound_nodes: [],
  };
  const norm = {
    class_name: 'BatchNormalization',
    name: layer,
    config: { name: layer, axis: [1], momentum: 0.5, epsilon: 0.001 },
    inbound_nodes: calls.map((kwargs) => [['in', 0, 0, kwargs]]),
  };
  const add = {
    class_name: 'Add',
    name: 'out',
    config: { name: 'out' },
    inbound_nodes: [[...calls.map((_, node) => [layer, node, 0, {}]), ['in', 0, 0, {}]]],
  };
  const config = {
    name: 'model',
    layers: [input, norm, add],
    input_layers: [['in', 0, 0]],
    output_layers: [['out', 0, 0]],
  };
  return { model_config: { class_name: 'Model', config } };
}

const load = (modelTopology: object) =>
  tfl.models.modelFromJSON(JSON.parse(JSON.stringify({ modelTopology })));

const momentsOf = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
};

/** Batch normalization of [samples, 2] in groups of samples, with gamma 1 and beta 0, in float64. */
function normalized(x: ArrayLike<number>, groups: readonly (readonly number[])[]) {
  const y = new Float64Array(x.length);
  const moments = groups.flatMap((group) =>
    [0, 1].map((c) => {
      const own = momentsOf(group.map((sample) => x[2 * sample + c]!));
      for (const sample of group) {
        y[2 * sample + c] = (x[2 * sample + c]! - own.mean) / Math.sqrt(own.variance + 1e-3);
      }
      return { ...own, c };
    }),
  );
  const meanOf = (what: 'mean' | 'variance', channel: number) => {
    const own = moments.filter(({ c }) => c === channel);
    return own.reduce((sum, one) => sum + one[what], 0) / own.length;
  };
  return {
    y,
    mean: [meanOf('mean', 0), meanOf('mean', 1)],
    variance: [meanOf('variance', 0), meanOf('variance', 1)],
  };
}

// Order matters: these load before anything registers our layer.
describe('a model that was loaded with stock layers, when it is converted', () => {
  test('normalizes as its calls say, where stock layers do not', async () => {
    const x = randomTensor([6, 2], 1);
    const model = await load(functional([{ training: true }]));
    const stock = tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync().slice());
    // A new layer's population has mean 0 and variance 1.
    const plain = Array.from(x.dataSync(), (value) => value + value / Math.sqrt(1.001));
    expectClose(stock, plain, 1e-5);
    const ours = tf.tidy(() => (convert(model).predict(x) as tf.Tensor).dataSync().slice());
    const { y } = normalized(x.dataSync(), [[0, 1, 2, 3, 4, 5]]);
    expectClose(
      ours,
      Array.from(x.dataSync(), (value, i) => value + y[i]!),
      1e-5,
    );
  });

  test('of a nested model, too: base(x, training=False) trains on population statistics', async () => {
    const base = tfl.sequential({
      name: 'base',
      layers: [
        tfl.layers.dense({ units: 3, inputShape: [2] }),
        tfl.layers.batchNormalization({ name: 'inner', momentum: 0.5 }),
      ],
    });
    const input = tfl.input({ shape: [2] });
    const features = base.apply(input, { training: false } as never) as tfl.SymbolicTensor;
    const outputs = tfl.layers.dense({ units: 1 }).apply(features) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs });
    randomizeWeights(model, 3);
    convert(model);
    const inner = batchNormLayers(model)[0] as BatchNormalization;
    expect(inner.trainingStatistics).toBe('population');
    const before = [inner.movingMean, inner.movingVariance].map((one) => one.read().dataSync().slice());
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const gamma = inner.gamma!.read().dataSync().slice();
    await model.trainOnBatch(randomTensor([8, 2], 1), randomTensor([8, 1], 2));
    expect([inner.movingMean, inner.movingVariance].map((one) => one.read().dataSync())).toEqual(before);
    // As in Keras, gamma and beta are trained.
    expect(inner.gamma!.read().dataSync()).not.toEqual(gamma);
  });

  test('calls that contradict each other are refused, and nothing is converted', async () => {
    const model = await load(functional([{ training: true }, {}]));
    expect(() => convert(model)).toThrow(InvalidInputError);
    expect(() => convert(model)).toThrow(
      "Layer 'bn': expected all its calls in the graph to say the same of training, got one with training: true and one without training",
    );
    expect(batchNormLayers(model)[0]).not.toBeInstanceOf(BatchNormalization);
  });

  test('once: what is set after that holds', async () => {
    const model = convert(await load(functional([{ training: true }])));
    const layer = batchNormLayers(model)[0] as BatchNormalization;
    expect(layer.inferenceStatistics).toBe('batch');
    layer.inferenceStatistics = 'population';
    unfreezeBatchNorm(freezeBatchNorm(convert(model)));
    expect(layer.inferenceStatistics).toBe('population');
  });
});

describe('a configuration of Keras', () => {
  test('virtual_batch_size: as Keras splits a batch, in training and in the moving statistics', async () => {
    await import('./register.ts');
    const model = await load(sequential('BatchNormalization', { virtual_batch_size: 3 }));
    const layer = model.layers[0] as BatchNormalization;
    expect(layer).toMatchObject({ normalizationBatchSize: 3, normalizationBatchOrder: 'strided' });
    const x = randomTensor([12, 2], 4);
    // reshape(x, [3, -1, 2]): sample p * 4 + g lies at [p, g], and moments are those of each g.
    const groups = [0, 1, 2, 3].map((g) => [0, 1, 2].map((p) => p * 4 + g));
    const expected = normalized(x.dataSync(), groups);
    const y = tf.tidy(() => (layer.apply(x, { training: true }) as tf.Tensor).dataSync().slice());
    expectClose(y, expected.y, 1e-5);
    const [, , mean, variance] = weightValues(layer);
    expectClose(
      mean!,
      expected.mean.map((value) => 0.5 * value),
      1e-5,
    );
    expectClose(
      variance!,
      expected.variance.map((value) => 0.5 + 0.5 * value),
      1e-5,
    );
    const again = BatchNormalization.fromConfig(BatchNormalization, layer.getConfig());
    expect(again).toMatchObject({ normalizationBatchSize: 3, normalizationBatchOrder: 'strided' });
  });

  test('a batch that is no multiple of it is split, too, and leaves no single value', () => {
    const layer = batchNormalization({ normalizationBatchSize: 3, normalizationBatchOrder: 'strided' });
    const of = (samples: number, values = 1) =>
      Array.from(layer.normalizationBatches(samples, values).of ?? [], Number);
    expect(of(8)).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
    expect(of(7)).toEqual([0, 1, 0, 1, 0, 1, 0]);
    expect(of(7, 2)).toEqual([0, 1, 2, 0, 1, 2, 0]);
    expect(layer.normalizationBatches(3, 1)).toEqual({ count: 1 });
  });

  test.each([
    [{ renorm: true, renorm_clipping: {}, renorm_momentum: 0.99 }, 'its configuration says renorm: true'],
    [{ adjustment: 'adjust' }, 'its configuration has an adjustment'],
    [{ virtual_batch_size: '8' }, 'expected virtual_batch_size to be an integer >= 1, got "8"'],
    [{ synchronized: true }, "import '@rebatch/leakage/register' before the model is loaded"],
    [{ momentun: 0.9 }, 'Did you mean momentum?'],
    [{ momentum: '0.9' }, 'expected momentum to be a finite number'],
  ])('is refused by name where it would be dropped: %j', async (config, message) => {
    await import('./register.ts');
    const loading = load(sequential('BatchNormalization', config));
    await expect(loading).rejects.toThrow(InvalidInputError);
    await expect(load(sequential('BatchNormalization', config))).rejects.toThrow("Layer 'bn': ");
    await expect(load(sequential('BatchNormalization', config))).rejects.toThrow(message);
  });

  test('what it says of nothing, and how a value is computed, is no matter', async () => {
    await import('./register.ts');
    const nothing = {
      renorm: false,
      synchronized: false,
      virtual_batch_size: null,
      fused: true,
      adjustment: null,
    };
    const model = await load(sequential('BatchNormalization', nothing));
    const plain = await load(sequential('BatchNormalization', {}));
    expect(model.layers[0]!.getConfig()).toEqual(plain.layers[0]!.getConfig());
  });

  test.each(['BatchNormalizationV1', 'BatchNormalizationV2'])('%s is a plain layer', async (name) => {
    await import('./register.ts');
    const model = await load(sequential(name, { virtual_batch_size: 4 }));
    expect(Object.getPrototypeOf(model.layers[0])).toBe(BatchNormalization.prototype);
    expect(model.layers[0]).toMatchObject({ normalizationBatchSize: 4 });
    const saved = model.toJSON(null, false) as { config: { layers: { class_name: string }[] } };
    expect(JSON.stringify(saved)).toContain('"BatchNormalization"');
    expect(JSON.stringify(saved)).not.toContain(name);
  });

  test.each(['SyncBatchNormalization', 'sync_batch_normalization'])(
    '%s is refused by name where nothing knows it',
    async (name) => {
      await import('./register.ts');
      await expect(load(sequential(name, {}))).rejects.toThrow(InvalidInputError);
      await expect(load(sequential(name, {}))).rejects.toThrow(/'bn'.*@rebatch\/leakage\/register/);
    },
  );
});

describe('calls in a loaded graph', () => {
  test('training: true normalizes by the batch in inference, and moves nothing', async () => {
    await import('./register.ts');
    const x = randomTensor([6, 2], 1);
    const model = await load(functional([{ training: true }]));
    const before = weightValues(model);
    const { y } = normalized(x.dataSync(), [[0, 1, 2, 3, 4, 5]]);
    const expected = Array.from(x.dataSync(), (value, i) => value + y[i]!);
    const predicted = (one: tfl.LayersModel) =>
      tf.tidy(() => (one.predict(x) as tf.Tensor).dataSync().slice());
    expectClose(predicted(model), expected, 1e-5);
    expect(weightValues(model)).toEqual(before);
    const again = await tfl.models.modelFromJSON({ modelTopology: model.toJSON(null, false) } as never);
    expectClose(predicted(again), expected, 1e-5);
    expect((batchNormLayers(model)[0] as BatchNormalization).inferenceStatistics).toBe('batch');
  });

  test('training: false trains on population statistics; none, null and a shared layer’s same change nothing', async () => {
    await import('./register.ts');
    const settings = async (calls: readonly object[]) => {
      const layer = batchNormLayers(await load(functional(calls)))[0] as BatchNormalization;
      return [layer.trainingStatistics, layer.inferenceStatistics];
    };
    expect(await settings([{ training: false }])).toEqual(['population', 'population']);
    expect(await settings([{}])).toEqual(['batch', 'population']);
    expect(await settings([{ training: null }, {}])).toEqual(['batch', 'population']);
    expect(await settings([{ training: true }, { training: true }])).toEqual(['batch', 'batch']);
  });

  test('that contradict each other are refused, and the layer stays as it was', async () => {
    await import('./register.ts');
    await expect(load(functional([{}, { training: true }]))).rejects.toThrow(
      'got one without training and one with training: true',
    );
    const layer = batchNormalization({ name: 'bn' });
    const input = tfl.input({ shape: [2] });
    layer.apply(input);
    expect(() => layer.apply(input, { training: false } as never)).toThrow(InvalidInputError);
    expect(layer.inboundNodes).toHaveLength(1);
    expect(layer.trainingStatistics).toBe('batch');
  });

  test('a layer that is applied to values is as it was', () => {
    const layer = batchNormalization();
    tf.dispose(layer.apply(randomTensor([4, 2], 1), { training: true }) as tf.Tensor);
    expect(layer.inferenceStatistics).toBe('population');
  });
});
