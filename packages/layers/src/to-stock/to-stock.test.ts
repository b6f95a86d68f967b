import {
  expectSavedAs,
  onEachBackend,
  outputsOf,
  randomizeWeights,
  randomTensor,
  savedModel,
  weightsByName,
  weightValues,
} from '@rebatch/test-models';
import { predictElsewhere } from '@rebatch/test-models/elsewhere';
import { expectClose, expectNoLeaks, referenceNormalize } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  BatchNormalization,
  type BatchNormalizationConfig,
  batchNormalization,
  batchNormLayers,
  convert,
  foldBatchNorm,
  freezeBatchNorm,
  toStock,
} from '../index.ts';
import { build, type MakeBatchNorm, MODEL_NAMES } from './models.test.support.ts';

const stock: MakeBatchNorm = (config) => tfl.layers.batchNormalization(config);
/** Our layer with settings that the stock layer does not know, none of which matters at inference. */
const ours: MakeBatchNorm = (config) =>
  batchNormalization({ ...config, normalizationBatchSize: 2, trainingStatistics: 'population' });

/** Not `dispose`, which keeps what is applied several times. */
const disposeWeights = (model: tfl.LayersModel) => tf.dispose(model.getWeights());

onEachBackend((backend) => {
  test.each(MODEL_NAMES)('%s: the model that was built with stock layers', async (name) => {
    const { model, xs } = build(name, ours);
    const { model: expected } = build(name, stock);
    const before = {
      weights: weightsByName(model),
      json: model.toJSON(null, false),
      y: outputsOf(model, xs),
    };
    const shipped = toStock(model);
    expect(batchNormLayers(shipped).map((layer) => layer instanceof BatchNormalization)).toEqual(
      batchNormLayers(expected).map(() => false),
    );
    expect(shipped.constructor).toBe(expected.constructor);
    await expectSavedAs(shipped, expected);
    const y = outputsOf(shipped, xs);
    // The same ops.
    expect(y).toEqual(outputsOf(expected, xs));
    for (const [at, values] of y.entries()) expectClose(values, before.y[at]!, 2e-6, `output ${at}`);
    if (backend === 'cpu') expect(await predictElsewhere(shipped, xs)).toEqual(y);

    expect(weightsByName(model)).toEqual(before.weights);
    expect(model.toJSON(null, false)).toEqual(before.json);
    expect(outputsOf(model, xs)).toEqual(before.y);
  });

  test('one layer, against float64', () => {
    for (const config of [
      {},
      { scale: false },
      { center: false, epsilon: 0.1 },
      { scale: false, center: false },
    ]) {
      const model = tfl.sequential({ layers: [batchNormalization({ inputShape: [4, 4, 5], ...config })] });
      randomizeWeights(model, 3);
      const x = randomTensor([6, 4, 4, 5], 1);
      const { gamma, beta, movingMean, movingVariance, epsilon } = model.layers[0] as BatchNormalization;
      const values = (weight?: tfl.LayerVariable | null) => weight?.read().dataSync<'float32'>();
      const expected = referenceNormalize(
        x.dataSync<'float32'>(),
        { outer: 96, channels: 5, inner: 1, groups: 1 },
        { mean: values(movingMean)!, variance: values(movingVariance)! },
        { gamma: values(gamma), beta: values(beta), epsilon },
      );
      expectClose(outputsOf(toStock(model), [x])[0]!, expected, 1e-6);
    }
  });

  test.each(MODEL_NAMES)('%s: makes tensors for its weights alone, and shares none', async (name) => {
    const { model, xs } = build(name, ours);
    const before = outputsOf(model, xs);
    const { numTensors } = tf.memory();
    const shipped = toStock(model);
    expect(tf.memory().numTensors - numTensors).toBe(new Set(model.weights).size);
    disposeWeights(shipped);
    expect(outputsOf(model, xs)).toEqual(before);
    await expectNoLeaks(tf, () => disposeWeights(toStock(model)));
  });
});

test('undoes convert and freezeBatchNorm: what was stock is saved as it was', async () => {
  await tf.setBackend('cpu');
  for (const name of MODEL_NAMES) {
    const { model, xs } = build(name, stock);
    const [saved, y] = [await savedModel(model), outputsOf(model, xs)];
    for (const adopt of [convert, freezeBatchNorm]) {
      const back = await savedModel(toStock(adopt(model)));
      expect(back.modelTopology).toEqual(saved.modelTopology);
      expect(back.weightData).toEqual(saved.weightData);
      expect(outputsOf(toStock(model), xs)).toEqual(y);
    }
  }
});

test('keeps what a stock layer has: its axis as a number, penalties, constraints, and that it is not trained', () => {
  const config: BatchNormalizationConfig = {
    ...{ name: 'bn', inputShape: [2, 3], momentum: 0.5, epsilon: 0.01, trainable: false },
    ...{ gammaRegularizer: 'l1l2', betaConstraint: 'nonNeg', gammaInitializer: 'zeros' },
  };
  const model = tfl.sequential({ layers: [batchNormalization({ ...config, axis: [2] as never })] });
  const [layer] = toStock(model).layers;
  expect(layer!.getConfig()).toEqual(tfl.layers.batchNormalization({ ...config, axis: 2 }).getConfig());
  expect(layer!.trainableWeights).toEqual([]);
});

test('a constraint does not bend the weights that a layer has', () => {
  const model = tfl.sequential({
    layers: [batchNormalization({ inputShape: [2], gammaConstraint: 'nonNeg' })],
  });
  const gamma = (model.layers[0] as BatchNormalization).gamma!.read() as tf.Variable;
  gamma.assign(tf.tensor1d([-1, 2]));
  expect([...weightValues(toStock(model))[0]!]).toEqual([-1, 2]);
});

test('other layers, those of the user’s own classes included, stay what they are', async () => {
  class Halved extends tfl.layers.Layer {
    static readonly className = 'Halved';
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return tf.div([inputs].flat()[0]!, 2);
    }
  }
  tf.serialization.registerClass(Halved);
  const Stock = tfl.layers.batchNormalization({ name: 'any' })
    .constructor as unknown as typeof BatchNormalization;
  /** Which `convert` leaves alone. */
  class Derived extends Stock {
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return tf.neg([inputs].flat()[0]!);
    }
  }
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 3, inputShape: [4] }),
      new Halved({}),
      batchNormalization(),
      new Derived({ name: 'derived' }),
    ],
  });
  randomizeWeights(model, 2);
  const x = randomTensor([4, 4], 1);
  const shipped = toStock(model);
  expect(shipped.layers.map((layer) => layer.constructor)).toEqual(
    model.layers.map((layer, at) => (at === 2 ? Stock : layer.constructor)),
  );
  expectClose(outputsOf(shipped, [x])[0]!, outputsOf(model, [x])[0]!, 1e-6);
});

test('metadata of a model goes along', () => {
  const { model } = build(MODEL_NAMES[0]!, ours);
  model.setUserDefinedMetadata({ labels: ['cat', 'dog'] });
  expect(toStock(model).getUserDefinedMetadata()).toEqual({ labels: ['cat', 'dog'] });
});

test('a shipped model can be folded, and a folded one shipped', () => {
  const { model, xs } = build('nested models', ours);
  const y = outputsOf(model, xs)[0]!;
  expectClose(outputsOf(foldBatchNorm(toStock(model)).model, xs)[0]!, y, 1e-5);
  expectClose(outputsOf(toStock(foldBatchNorm(model).model), xs)[0]!, y, 1e-5);
});

test('a functional model of Keras keeps its class', async () => {
  const { model, xs } = build('a graph of several inputs and outputs', ours);
  const modelTopology = model.toJSON(null, false) as unknown as { class_name: string };
  const keras = await tfl.models.modelFromJSON({
    modelTopology: { ...modelTopology, class_name: 'Functional' },
  });
  keras.setWeights(model.getWeights());
  const shipped = toStock(convert(keras));
  expect(shipped.getClassName()).toBe('Functional');
  expect(outputsOf(shipped, xs)).toEqual(outputsOf(toStock(model), xs));
});

test('an unused input stays', () => {
  const [x, unused] = [tfl.input({ shape: [3], name: 'x' }), tfl.input({ shape: [2], name: 'unused' })];
  const y = batchNormalization({ name: 'bn' }).apply(x) as tfl.SymbolicTensor;
  expect(toStock(tfl.model({ inputs: [unused, x], outputs: y })).inputNames).toEqual(['unused', 'x']);
});

test('a class of one’s own that infers as batch normalization says so', () => {
  class InPairs extends BatchNormalization {
    static override readonly className = 'InPairs';
    override normalizationBatches(samples: number) {
      return { count: samples / 2 };
    }
    override stockLayer(...[copier]: Parameters<BatchNormalization['stockLayer']>) {
      return super.stockLayer(copier);
    }
  }
  const model = tfl.sequential({ layers: [new InPairs({ inputShape: [3], name: 'pairs' })] });
  randomizeWeights(model, 2);
  const x = randomTensor([4, 3], 1);
  const shipped = toStock(model);
  expect(JSON.stringify(shipped.toJSON())).not.toContain('InPairs');
  expectClose(outputsOf(shipped, [x])[0]!, outputsOf(model, [x])[0]!, 1e-6);
});
