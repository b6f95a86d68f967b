import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  BatchNormalization,
  batchNormalization,
  batchNormLayers,
  convert,
  ForeignLayerError,
} from './index.ts';

const Stock = tfl.layers.batchNormalization({ name: 'stock_class' }).constructor;
const isStock = (layer: object) => layer.constructor === Stock;

/** The same objects, not equal ones. */
function expectSame(actual: readonly object[], expected: readonly object[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, layer] of expected.entries()) expect(actual[i]).toBe(layer);
}

/** A functional model with a nested model, a layer that is applied twice, and a wrapped layer: four BN layers. */
function nestedModel() {
  const inner = tfl.sequential({
    name: 'inner',
    layers: [
      tfl.layers.dense({ units: 4, inputShape: [3, 4] }),
      tfl.layers.batchNormalization({ name: 'bn_inner' }),
      tfl.layers.reLU(),
    ],
  });
  const shared = tfl.layers.batchNormalization({ name: 'bn_shared' });
  const input = tfl.input({ shape: [3, 4] });
  const left = shared.apply(inner.apply(input)) as tfl.SymbolicTensor;
  const right = shared.apply(input) as tfl.SymbolicTensor;
  const added = tfl.layers.add().apply([left, right]) as tfl.SymbolicTensor;
  const steps = tfl.layers
    .timeDistributed({ layer: tfl.layers.batchNormalization({ name: 'bn_steps' }) })
    .apply(added) as tfl.SymbolicTensor;
  const wrapped = tfl.sequential({
    name: 'wrapped',
    layers: [
      tfl.layers.dense({ units: 2, inputShape: [4] }),
      tfl.layers.batchNormalization({ name: 'bn_wrapped' }),
    ],
  });
  const output = tfl.layers.timeDistributed({ layer: wrapped }).apply(steps) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: output });
  randomizeWeights(model, 2);
  return { model, shared };
}

const NAMES = ['bn_inner', 'bn_shared', 'bn_steps', 'bn_wrapped'];

onEachBackend(() => {
  test('replaces every layer in place: the same model, weights, names, references and predictions', () => {
    const { model, shared } = nestedModel();
    const x = randomTensor([5, 3, 4], 1);
    const before = {
      weights: weightValues(model),
      names: model.weights.map(({ name }) => name),
      variables: model.getWeights(),
      y: (model.predict(x) as tf.Tensor).dataSync(),
      json: model.toJSON(null, false),
      numTensors: tf.memory().numTensors,
    };
    expect(batchNormLayers(model).every(isStock)).toBe(true);
    expect(convert(model)).toBe(model);
    expect(tf.memory().numTensors).toBe(before.numTensors);
    const layers = batchNormLayers(model);
    expect(layers.map(({ name }) => name).sort()).toEqual(NAMES);
    expect(layers.some(isStock)).toBe(false);
    expect(layers.every((layer) => layer instanceof BatchNormalization)).toBe(true);
    expect(model.getLayer('bn_shared')).toBe(shared);
    expect(shared).toBeInstanceOf(BatchNormalization);
    expect(weightValues(model)).toEqual(before.weights);
    expect(model.weights.map(({ name }) => name)).toEqual(before.names);
    expect(model.getWeights().every((variable, i) => variable === before.variables[i])).toBe(true);
    expectClose((model.predict(x) as tf.Tensor).dataSync(), before.y, 1e-5);
    expect(model.toJSON(null, false)).toEqual(before.json);
    // Again changes nothing.
    expectSame(batchNormLayers(convert(model)), layers);
    model.dispose();
  });

  test('a converted model trains as it would have: every application moves the statistics', async () => {
    const x = randomTensor([5, 3, 4], 1);
    const y = randomTensor([5, 3, 2], 2);
    const [expected, actual] = [nestedModel().model, convert(nestedModel().model)];
    for (const model of [expected, actual]) {
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      for (let step = 0; step < 3; step++) await model.trainOnBatch(x, y);
    }
    weightValues(expected).forEach((weight, i) => {
      expectClose(weightValues(actual)[i]!, weight, 1e-4, actual.weights[i]!.name);
    });
    expected.dispose();
    actual.dispose();
  });

  test('keeps compilation and optimizer state: training goes on as if nothing had happened', async () => {
    const build = () => {
      const model = tfl.sequential({
        layers: [
          // A bias before BN has no gradient but rounding errors, which Adam would blow up.
          tfl.layers.dense({ units: 4, inputShape: [3], useBias: false }),
          tfl.layers.batchNormalization(),
          tfl.layers.dense({ units: 1 }),
        ],
      });
      randomizeWeights(model, 4);
      model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
      return model;
    };
    const [x, y] = [randomTensor([8, 3], 1), randomTensor([8, 1], 2)];
    const [expected, actual] = [build(), build()];
    for (const model of [expected, actual]) {
      for (let step = 0; step < 3; step++) await model.trainOnBatch(x, y);
      const { optimizer } = model;
      const count = (await optimizer.getWeights()).length;
      if (model === actual) convert(model);
      expect(model.optimizer).toBe(optimizer);
      for (let step = 0; step < 3; step++) await model.trainOnBatch(x, y);
      // New variables would have got an optimizer state of their own, starting from zero.
      expect((await optimizer.getWeights()).length).toBe(count);
    }
    weightValues(expected).forEach((weight, i) => {
      expectClose(weightValues(actual)[i]!, weight, 1e-4, actual.weights[i]!.name);
    });
  });
});

test('a model without such layers is returned as it is', () => {
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });
  expect(batchNormLayers(model)).toEqual([]);
  expect(convert(model)).toBe(model);
});

test('classes derived from the stock layer are found, but not converted', () => {
  class Derived extends (Stock as unknown as typeof BatchNormalization) {}
  const model = tfl.sequential({ layers: [new Derived({ inputShape: [3] } as never)] });
  expect(convert(model).layers[0]!.constructor).toBe(Derived);
  expectSame(batchNormLayers(model), model.layers);
});

test('a layer of another copy of tfjs-layers is an error, and nothing is converted', () => {
  class BatchNormalizationOfAnotherCopy extends tfl.layers.Layer {
    static className = 'BatchNormalization';
  }
  const model = tfl.sequential({
    name: 'mixed',
    layers: [
      tfl.layers.batchNormalization({ inputShape: [3] }),
      new BatchNormalizationOfAnotherCopy({ name: 'foreign' }),
    ],
  });
  expect(() => convert(model)).toThrow(ForeignLayerError);
  expect(() => convert(model)).toThrow(/'foreign' of model 'mixed'.*single copy/);
  expect(isStock(model.layers[0]!)).toBe(true);
});

test('finds the layers that run: in cells, and in the two copies that a Bidirectional makes', () => {
  const Cell = tfl.layers.simpleRNNCell({ units: 2 }).constructor as unknown as new (
    config: object,
  ) => tfl.layers.Layer;
  /** A recurrent cell that normalizes its input. */
  class NormalizedCell extends Cell {
    readonly layer = tfl.layers.batchNormalization();
  }
  class NormalizedRnn extends tfl.RNN {
    static override className = 'NormalizedRnn';
    static override fromConfig = ((cls: new () => unknown) => new cls()) as typeof tfl.RNN.fromConfig;
    constructor() {
      super({ cell: new NormalizedCell({ units: 2 }) as never });
    }
    override getConfig() {
      return {};
    }
  }
  tf.serialization.registerClass(NormalizedRnn);
  const rnn = new NormalizedRnn();
  expectSame(batchNormLayers(rnn), [(rnn.cell as unknown as NormalizedCell).layer]);
  const both = tfl.layers.bidirectional({ layer: rnn, mergeMode: 'concat' });
  const directions = both as unknown as Record<'forwardLayer' | 'backwardLayer', { cell: NormalizedCell }>;
  const { forwardLayer, backwardLayer } = directions;
  expectSame(batchNormLayers(both), [forwardLayer.cell.layer, backwardLayer.cell.layer]);
});

test('a layer alone is its own layer', () => {
  const layer = batchNormalization();
  expectSame(batchNormLayers(layer), [layer]);
});
