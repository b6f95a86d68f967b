import { onEachBackend, randomizeWeights, randomTensor, weightValues } from '@rebatch/test-models';
import { expectClose, expectNoLeaks, referenceNormalize } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  BatchNormalization,
  batchNormalization,
  batchNormLayers,
  convert,
  ForeignLayerError,
  type FrozenAffine,
  freezeBatchNorm,
  InvalidInputError,
  unfreezeBatchNorm,
} from './index.ts';

const AFFINES: FrozenAffine[] = ['fixed', 'trainable'];

function network(optimizer: tf.Optimizer) {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 4, inputShape: [3], useBias: false }),
      tfl.layers.batchNormalization({
        name: 'regularized',
        gammaRegularizer: tfl.regularizers.l2({ l2: 0.1 }),
        betaRegularizer: tfl.regularizers.l2({ l2: 0.1 }),
      }),
      tfl.layers.reLU(),
      // A wrapper passes its layer's regularizers on by another way.
      tfl.layers.reshape({ targetShape: [2, 2] }),
      tfl.layers.timeDistributed({
        layer: tfl.layers.batchNormalization({ gammaRegularizer: tfl.regularizers.l2({ l2: 0.1 }) }),
      }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 1 }),
    ],
  });
  randomizeWeights(model, 8);
  model.compile({ optimizer, loss: 'meanSquaredError' });
  return model;
}

/** gamma, beta, moving mean and moving variance of each layer. */
const normWeights = (model: tfl.LayersModel) => batchNormLayers(model).map((layer) => weightValues(layer));

/** The output, dx, and dgamma and dbeta where there are any, of sum(dy * output) in training. */
function gradients(layer: BatchNormalization, x: tf.Tensor, dy: tf.Tensor) {
  const [input, upstream] = [tf.variable(x), dy];
  const { grads, value } = tf.variableGrads(
    () => tf.sum(tf.mul(layer.apply(input, { training: true }) as tf.Tensor, upstream)) as tf.Scalar,
  );
  const read = (variable: tf.Tensor) => grads[(variable as tf.Variable).name]?.dataSync<'float32'>().slice();
  const result = {
    dx: read(input)!,
    dgamma: read(layer.gamma!.read()),
    dbeta: read(layer.beta!.read()),
  };
  tf.dispose([input, value, ...Object.values(grads)]);
  return result;
}

onEachBackend(() => {
  test.each(AFFINES)('the gradient is that of the affine map: %s', async (affine) => {
    const model = tfl.sequential({
      layers: [tfl.layers.batchNormalization({ axis: 1, inputShape: [4, 3] })],
    });
    randomizeWeights(model, 2);
    freezeBatchNorm(model, { affine });
    const layer = model.layers[0] as BatchNormalization;
    const [x, dy] = [randomTensor([5, 4, 3], 1), randomTensor([5, 4, 3], 2)];
    const [values, upstream] = [x.dataSync<'float32'>(), dy.dataSync<'float32'>()];
    const weights = weightValues(layer) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const [gamma, beta, mean, variance] = weights;
    const layout = { outer: 5, channels: 4, inner: 3, groups: 1 };
    const epsilon = 1e-3;

    const y = layer.apply(x, { training: true }) as tf.Tensor;
    const expected = referenceNormalize(values, layout, { mean, variance }, { gamma, beta, epsilon });
    expectClose(y.dataSync(), expected, 1e-5, 'y');
    const { dx, dgamma, dbeta } = gradients(layer, x, dy);
    const slope = { mean: [0, 0, 0, 0], variance };
    expectClose(dx, referenceNormalize(upstream, layout, slope, { gamma, epsilon }), 1e-5, 'dx');
    if (affine === 'fixed') {
      expect([dgamma, dbeta]).toEqual([undefined, undefined]);
    } else {
      const xhat = referenceNormalize(values, layout, { mean, variance }, { epsilon });
      const sums = (of: (i: number) => number) => {
        const total = [0, 0, 0, 0];
        for (let i = 0; i < values.length; i++) total[Math.floor(i / 3) % 4]! += of(i);
        return total;
      };
      expectClose(
        dgamma!,
        sums((i) => upstream[i]! * xhat[i]!),
        1e-5,
        'dgamma',
      );
      expectClose(
        dbeta!,
        sums((i) => upstream[i]!),
        1e-5,
        'dbeta',
      );
    }
    expect(weightValues(layer)).toEqual(weights);
    await expectNoLeaks(tf, () => void gradients(layer, x, dy));
    await expectNoLeaks(tf, () => tf.dispose(layer.apply(x, { training: true }) as tf.Tensor));
  });

  const OPTIMIZERS: [string, () => tf.Optimizer][] = [
    ['sgd', () => tf.train.sgd(0.01)],
    ['momentum', () => tf.train.momentum(0.01, 0.9)],
    ['adam', () => tf.train.adam(0.01)],
  ];
  test.each(OPTIMIZERS)(
    '%s: mid-training, compiled, fixed: nothing of the layers moves, the rest does',
    async (_, make) => {
      const model = network(make());
      const [x, y] = [randomTensor([12, 3], 1), randomTensor([12, 1], 2)];
      const fit = () => model.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 });
      await fit();
      const { optimizer } = model;
      const count = (await optimizer.getWeights()).length;
      freezeBatchNorm(model);
      const [frozen, dense] = [normWeights(model), weightValues(model.layers[0]!)];
      const penalties = () => tf.tidy(() => model.calculateLosses().map((loss) => loss.dataSync()[0]));
      const [lossBefore, , lossAfter] = [penalties(), await fit(), penalties()];
      expect(normWeights(model)).toEqual(frozen);
      expect(weightValues(model.layers[0]!)).not.toEqual(dense);
      // The penalties still count in the loss that is reported.
      expect(lossAfter).toEqual(lossBefore);
      expect(lossBefore.every((penalty) => penalty! > 0)).toBe(true);
      expect(model.optimizer).toBe(optimizer);
      expect((await optimizer.getWeights()).length).toBe(count);
      unfreezeBatchNorm(model);
      await fit();
      normWeights(model).forEach((weights, layer) => {
        for (const [i, weight] of weights.entries()) expect(weight).not.toEqual(frozen[layer]![i]);
      });
      expect((await optimizer.getWeights()).length).toBe(count);
    },
  );

  test('trainable: gamma and beta are trained on, the statistics are bit-identical', async () => {
    const model = freezeBatchNorm(network(tf.train.adam(0.01)), { affine: 'trainable' });
    const [x, y] = [randomTensor([12, 3], 1), randomTensor([12, 1], 2)];
    const before = normWeights(model);
    await model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0 });
    normWeights(model).forEach(([gamma, beta, mean, variance], layer) => {
      expect([mean, variance]).toEqual(before[layer]!.slice(2));
      expect(gamma).not.toEqual(before[layer]![0]);
      expect(beta).not.toEqual(before[layer]![1]);
    });
  });

  test('a step of a frozen model keeps no tensors', async () => {
    const model = freezeBatchNorm(network(tf.train.adam(0.01)));
    const [x, y] = [randomTensor([12, 3], 1), randomTensor([12, 1], 2)];
    await expectNoLeaks(tf, () => model.trainOnBatch(x, y));
  });

  test('trains to the weights of a network whose normalization is written out as constants', async () => {
    const build = (normalization: tfl.layers.Layer[]) => {
      const model = tfl.sequential({
        layers: [
          tfl.layers.dense({ units: 4, inputShape: [3] }),
          ...normalization,
          tfl.layers.reLU(),
          tfl.layers.dense({ units: 1 }),
        ],
      });
      return model;
    };
    const frozen = build([tfl.layers.batchNormalization({ epsilon: 1e-3 })]);
    randomizeWeights(frozen, 3);
    const [gamma, beta, mean, variance] = weightValues(frozen.layers[1]!);
    const slope = gamma!.map((value, c) => value / Math.sqrt(variance![c]! + 1e-3));
    const offset = beta!.map((value, c) => value - mean![c]! * slope[c]!);
    const diagonal = tfl.layers.dense({ units: 4, trainable: false });
    const expected = build([diagonal]);
    tf.tidy(() => {
      const kernel = tf.mul(tf.eye(4), tf.tensor1d(slope));
      const [first, last] = [frozen.layers[0]!.getWeights(), frozen.layers[3]!.getWeights()];
      expected.layers[0]!.setWeights(first);
      diagonal.setWeights([kernel, tf.tensor1d(offset)]);
      expected.layers[3]!.setWeights(last);
    });
    freezeBatchNorm(frozen);
    const [x, y] = [randomTensor([12, 3], 1), randomTensor([12, 1], 2)];
    const losses: number[][] = [];
    for (const model of [frozen, expected]) {
      model.compile({ optimizer: tf.train.momentum(0.001, 0.9), loss: 'meanSquaredError' });
      const { history } = await model.fit(x, y, { epochs: 4, batchSize: 6, shuffle: false, verbose: 0 });
      losses.push(history.loss as number[]);
    }
    expectClose(losses[0]!, losses[1]!, 1e-5);
    for (const i of [0, 3]) {
      const [actual, wanted] = [frozen, expected].map((model) => weightValues(model.layers[i]!));
      for (const [k, weight] of actual!.entries()) expectClose(weight, wanted![k]!, 1e-5);
    }
  });
});

test('unfreezing restores settings, flags and configurations; both are idempotent', () => {
  const settings = {
    trainingStatistics: 'batch',
    inferenceStatistics: 'batch',
    normalizationBatchSize: 4,
  } as const;
  const model = tfl.sequential({
    layers: [
      batchNormalization({ inputShape: [3], ...settings }),
      batchNormalization({ trainable: false, trainingStatistics: 'population' }),
      tfl.layers.batchNormalization(),
    ],
  });
  const flags = () => model.weights.map(({ name, trainable }) => ({ name, trainable }));
  const state = () => ({ flags: flags(), json: model.toJSON(null, false) });
  const before = state();
  expect(freezeBatchNorm(model)).toBe(model);
  expect(flags()).toEqual(before.flags);
  expect(model.toJSON(null, false)).not.toEqual(before.json);
  freezeBatchNorm(freezeBatchNorm(model, { affine: 'trainable' }));
  const [first] = model.layers as BatchNormalization[];
  expect(first).toMatchObject({ ...settings, frozen: { affine: 'fixed' } });
  expect(unfreezeBatchNorm(model)).toBe(model);
  expect(state()).toEqual(before);
  expect(unfreezeBatchNorm(unfreezeBatchNorm(model)).toJSON(null, false)).toEqual(before.json);
  for (const layer of model.layers) expect(layer).toBeInstanceOf(BatchNormalization);
});

test('a single layer is converted, frozen and unfrozen as a model is', () => {
  const layer = tfl.layers.batchNormalization({ name: 'alone' });
  expect(freezeBatchNorm(layer, { affine: 'trainable' })).toBe(layer);
  expect(layer).toMatchObject({ frozen: { affine: 'trainable' } });
  expect(unfreezeBatchNorm(layer)).toBe(layer);
  expect(layer).toMatchObject({ frozen: undefined });
  const wrapper = tfl.layers.timeDistributed({ layer: tfl.layers.batchNormalization({ name: 'inside' }) });
  expect(convert(wrapper)).toBe(wrapper);
  expect(batchNormLayers(wrapper)[0]).toBeInstanceOf(BatchNormalization);
});

test('a frozen layer adds nothing that is trained, so a model of no other weights needs the affine part', async () => {
  const [x, y] = [randomTensor([8, 3], 1), randomTensor([8, 3], 2)];
  const model = tfl.sequential({ layers: [batchNormalization({ inputShape: [3] })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  freezeBatchNorm(model);
  await expect(model.fit(x, y, { epochs: 1, verbose: 0 })).rejects.toThrow(/Cannot find a connection/);
  freezeBatchNorm(model, { affine: 'trainable' });
  const { history } = await model.fit(x, y, { epochs: 1, verbose: 0 });
  expect(history.loss).toHaveLength(1);
});

test('a model without such layers is returned as it is', () => {
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });
  expect(unfreezeBatchNorm(freezeBatchNorm(model))).toBe(model);
});

test('a frozen model is saved frozen', async () => {
  const model = tfl.sequential({ layers: [tfl.layers.batchNormalization({ inputShape: [3] })] });
  freezeBatchNorm(model, { affine: 'trainable' });
  const topology = JSON.parse(JSON.stringify(model.toJSON(null, false)));
  const [stock] = (await tfl.models.modelFromJSON(topology)).layers;
  expect(stock).not.toBeInstanceOf(BatchNormalization);
  await import('./register.ts');
  const loaded = await tfl.models.modelFromJSON(topology);
  expect((loaded.layers[0] as BatchNormalization).frozen).toEqual({ affine: 'trainable' });
  unfreezeBatchNorm(loaded);
  unfreezeBatchNorm(model);
  expect(loaded.layers[0]!.getConfig()).toEqual(model.layers[0]!.getConfig());
});

test('errors: what cannot be frozen is named, and nothing is', () => {
  const Stock = tfl.layers.batchNormalization({ name: 'stock_class' }).constructor;
  class Derived extends (Stock as unknown as typeof BatchNormalization) {}
  class BatchNormalizationOfAnotherCopy extends tfl.layers.Layer {
    static className = 'BatchNormalization';
  }
  const withLayer = (layer: tfl.layers.Layer) =>
    tfl.sequential({ name: 'mixed', layers: [tfl.layers.batchNormalization({ inputShape: [3] }), layer] });
  const derived = withLayer(new Derived({ name: 'derived' } as never));
  expect(() => freezeBatchNorm(derived)).toThrow(InvalidInputError);
  expect(() => freezeBatchNorm(derived)).toThrow(/'derived' of model 'mixed'.*\(Derived\)/);
  const foreign = withLayer(new BatchNormalizationOfAnotherCopy({ name: 'foreign' }));
  expect(() => freezeBatchNorm(foreign)).toThrow(ForeignLayerError);
  const bad = withLayer(batchNormalization());
  expect(() => freezeBatchNorm(bad, { affine: 'no' as never })).toThrow(
    /affine.*'fixed' or 'trainable', got "no"/,
  );
  expect(() => freezeBatchNorm(bad, { afine: 'fixed' } as never)).toThrow('Did you mean affine?');
  for (const model of [derived, foreign, bad]) expect(model.layers[0]!.constructor).toBe(Stock);
  expect(convert(bad).layers.map((layer) => (layer as BatchNormalization).frozen)).toEqual([
    undefined,
    undefined,
  ]);
});
