import { onEachBackend, randomizeWeights, randomTensor } from '@rebatch/test-models';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  BatchNormalization,
  batchNormalization,
  batchNormLayers,
  convert,
  FoldError,
  foldBatchNorm,
  freezeBatchNorm,
} from '../index.ts';
import { bn, foldAndCompare, functional, predict, sequence } from './fold.test.support.ts';

const { layers } = tfl;
const image = { inputShape: [6, 5, 3] };
const channelsFirst = { inputShape: [3, 6, 5], dataFormat: 'channelsFirst' as const };
type Linear = [string, (options: { useBias: boolean }) => tfl.layers.Layer, axis?: number];
const LINEAR: Linear[] = [
  ['dense', (o) => layers.dense({ units: 4, inputShape: [3], ...o })],
  ['dense on rank 4', (o) => layers.dense({ units: 4, ...image, ...o })],
  ['conv1d', (o) => layers.conv1d({ filters: 4, kernelSize: 3, inputShape: [7, 2], padding: 'same', ...o })],
  ['conv2d', (o) => layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, ...image, ...o })],
  ['dilated conv2d', (o) => layers.conv2d({ filters: 4, kernelSize: 2, dilationRate: 2, ...image, ...o })],
  [
    'conv2dTranspose',
    (o) => layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, ...image, ...o }),
  ],
  ['depthwiseConv2d', (o) => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, ...image, ...o })],
  ['separableConv2d', (o) => layers.separableConv2d({ filters: 4, kernelSize: 3, ...image, ...o })],
  ['conv2d, channels first', (o) => layers.conv2d({ filters: 4, kernelSize: 3, ...channelsFirst, ...o }), 1],
  [
    'depthwiseConv2d, channels first',
    (o) => layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, ...channelsFirst, ...o }),
    1,
  ],
  [
    'conv2dTranspose, channels first',
    (o) => layers.conv2dTranspose({ filters: 4, kernelSize: 2, ...channelsFirst, ...o }),
    1,
  ],
];
const CPU_ONLY: Linear[] = [
  ['conv3d', (o) => layers.conv3d({ filters: 4, kernelSize: 2, inputShape: [4, 3, 5, 2], ...o })],
  [
    'conv3dTranspose',
    (o) => layers.conv3dTranspose({ filters: 4, kernelSize: 2, inputShape: [2, 3, 2, 2], ...o }),
  ],
];

onEachBackend((backend) => {
  const cases = backend === 'cpu' ? [...LINEAR, ...CPU_ONLY] : LINEAR;
  test.each(cases)('folds into %s, which has a bias then', (_, linear, axis = -1) => {
    for (const useBias of [true, false]) {
      for (const affine of [{}, { center: false }, { scale: false, epsilon: 0.1 }]) {
        const model = sequence(
          linear({ useBias }),
          batchNormalization({ name: 'bn', axis, ...affine }),
          layers.reLU(),
        );
        const { model: folded, ...report } = foldAndCompare(model);
        const [first] = model.layers;
        expect(report).toEqual({ folded: [{ name: 'bn', into: first!.name }], kept: [] });
        expect(folded).toBeInstanceOf(tfl.Sequential);
        expect(folded.layers.map(({ name }) => name)).toEqual([first!.name, model.layers[2]!.name]);
        expect(folded.layers[0]!.getConfig()).toMatchObject({ useBias: true });
        folded.dispose();
        model.dispose();
      }
    }
  });

  test('folds stock, converted and frozen layers alike, and several in a row', () => {
    const build = () =>
      sequence(
        layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, useBias: false, ...image }),
        layers.batchNormalization({ name: 'bn1' }),
        layers.batchNormalization({ name: 'bn2', epsilon: 0.01 }),
        layers.activation({ activation: 'relu' }),
        layers.flatten(),
        layers.dense({ name: 'dense', units: 3 }),
        layers.batchNormalization({ name: 'bn3' }),
      );
    for (const model of [build(), convert(build()), freezeBatchNorm(build())]) {
      const { model: folded, ...report } = foldAndCompare(model);
      expect(report).toEqual({
        folded: [
          { name: 'bn1', into: 'conv' },
          { name: 'bn2', into: 'conv' },
          { name: 'bn3', into: 'dense' },
        ],
        kept: [],
      });
      expect(batchNormLayers(folded)).toEqual([]);
    }
  });

  test('folds the branches of a functional model with several inputs and outputs', () => {
    const [a, b] = [tfl.input({ shape: [3], name: 'a' }), tfl.input({ shape: [4], name: 'b' })];
    const branch = (x: tfl.SymbolicTensor, name: string) => {
      const dense = layers.dense({ units: 5, name: `dense_${name}` }).apply(x);
      return layers.batchNormalization({ name: `bn_${name}` }).apply(dense) as tfl.SymbolicTensor;
    };
    const [left, right] = [branch(a, 'a'), branch(b, 'b')];
    const sum = layers.add().apply([layers.reLU().apply(left) as tfl.SymbolicTensor, right]);
    const steps = layers.repeatVector({ n: 2 }).apply(sum) as tfl.SymbolicTensor;
    const rnn = layers
      .gru({ units: 5, returnState: true, recurrentInitializer: 'glorotNormal' })
      .apply(steps, { initialState: [right] } as never);
    const [last] = rnn as tfl.SymbolicTensor[];
    const model = tfl.model({ name: 'branches', inputs: [a, b], outputs: [last!, left] });
    randomizeWeights(model, 1);
    const { model: folded, ...report } = foldAndCompare(model);
    expect(report.kept).toEqual([]);
    expect(report.folded.map(({ name }) => name).sort()).toEqual(['bn_a', 'bn_b']);
    expect(folded.name).toBe('branches');
    expect(folded.inputNames).toEqual(['a', 'b']);
  });

  test('folds within nested models, wherever they stand, and names them by their path', () => {
    const inner = (name: string, inputShape: number[]) =>
      tfl.sequential({
        name,
        layers: [
          layers.dense({ units: 4, inputShape, name: 'dense' }),
          layers.batchNormalization({ name: 'bn' }),
        ],
      });
    const model = sequence(
      inner('first', [3]),
      layers.batchNormalization({ name: 'between' }),
      layers.reLU(),
      inner('second', [4]),
    );
    const { model: folded, ...report } = foldAndCompare(model);
    expect(report.folded).toEqual([
      { name: 'first/bn', into: 'first/dense' },
      { name: 'second/bn', into: 'second/dense' },
    ]);
    expect(report.kept).toEqual([
      {
        name: 'between',
        reason: expect.stringMatching(/'first' \(Sequential\), which is not a dense or conv/),
      },
    ]);
    expect(batchNormLayers(folded).map(({ name }) => name)).toEqual(['between']);
  });

  test('makes tensors for the weights of the new model alone', async () => {
    const model = sequence(
      layers.depthwiseConv2d({ kernelSize: 3, useBias: false, ...image }),
      batchNormalization(),
      layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
    );
    await expectNoLeaks(tf, () => foldBatchNorm(model).model.dispose());
  });
});

test('strict is satisfied by a model that folds, or has nothing to fold', () => {
  const dense = () => layers.dense({ units: 3, inputShape: [4] });
  expect(foldBatchNorm(sequence(dense(), bn()), { strict: true }).kept).toEqual([]);
  expect(foldBatchNorm(sequence(dense()), { strict: true }).folded).toEqual([]);
});

test('constraints of the original do not bend folded weights, nor regularizers the copy', () => {
  const model = sequence(
    layers.depthwiseConv2d({ kernelSize: 2, depthwiseRegularizer: 'l1l2', inputShape: [4, 4, 2] }),
    layers.conv2d({ filters: 3, kernelSize: 2, kernelConstraint: 'nonNeg', biasConstraint: 'nonNeg' }),
    bn(),
    layers.flatten(),
    layers.dense({ units: 2, kernelConstraint: 'nonNeg' }),
  );
  // Negative slopes, so that a constraint would be seen; and a kernel that does not meet its own constraint.
  const [gamma] = (model.layers[2] as BatchNormalization).getWeights();
  (gamma as tf.Variable).assign(tf.neg(gamma!));
  const kernel = model.layers[4]!.weights[0]!.read() as tf.Variable;
  kernel.assign(tf.neg(kernel));
  expect(foldAndCompare(model).kept).toEqual([]);
});

test('what is kept stays what it was: ours with its settings, in wrappers too', () => {
  const model = sequence(
    bn({ inputShape: [2, 4], normalizationBatchSize: 3 }),
    layers.timeDistributed({
      layer: batchNormalization({ name: 'inside', trainingStatistics: 'population' }),
    }),
    layers.timeDistributed({ layer: layers.batchNormalization({ name: 'stock' }) }),
  );
  const kept = batchNormLayers(foldAndCompare(model).model);
  expect(kept.map((layer) => layer instanceof BatchNormalization)).toEqual([true, true, false]);
  expect(kept.map((layer) => layer.getConfig())).toEqual(
    batchNormLayers(model).map((layer) => layer.getConfig()),
  );
});

test('copies what getConfig leaves out: the depth multiplier of a separable convolution', () => {
  const separable = { filters: 4, kernelSize: 2, depthMultiplier: 3, ...image };
  const far = sequence(layers.separableConv2d(separable), layers.reLU());
  expect(foldAndCompare(far).folded).toEqual([]);
  const before = sequence(layers.separableConv2d({ ...separable, useBias: false }), bn());
  expect(foldAndCompare(before).kept).toEqual([]);
});

test('folds a Sequential whose first layer was applied before, and so has no input shape of its own', () => {
  const first = layers.dense({ name: 'fc', units: 3 });
  first.apply(tfl.input({ shape: [4] }));
  const { model, kept } = foldAndCompare(sequence(first, bn()));
  expect(kept).toEqual([]);
  expect(model.inputs[0]!.shape).toEqual([null, 4]);
});

test('refuses a Sequential whose first layer goes on from layers that are not of the model', () => {
  const first = layers.dense({ name: 'fc', units: 4 });
  first.apply(layers.dense({ units: 4 }).apply(tfl.input({ shape: [4] })));
  const model = tfl.sequential({ name: 'net', layers: [first, bn()] });
  expect(() => foldBatchNorm(model)).toThrow(FoldError);
  expect(() => foldBatchNorm(model)).toThrow(/'net'.*'fc'.*functional model/);
});

test('the folded model saves and loads without this package', async () => {
  const model = sequence(layers.dense({ units: 3, inputShape: [4], useBias: false }), bn(), layers.reLU());
  const { model: folded } = foldBatchNorm(model);
  let saved: tf.io.ModelArtifacts | undefined;
  await folded.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved!));
  const x = randomTensor([3, 4], 1);
  expectClose(predict(loaded, x)[0]!, predict(model, x)[0]!, 1e-5);
});

test('errors: a model that is not built, and a layer that cannot be copied, leave nothing behind', async () => {
  const unbuilt = tfl.sequential({ name: 'later', layers: [] });
  expect(() => foldBatchNorm(unbuilt)).toThrow(FoldError);
  expect(() => foldBatchNorm(unbuilt)).toThrow(/'later' is not built/);
  class Picky extends tfl.layers.Layer {
    static className = 'Picky';
    constructor(config: { size?: number; name?: string }) {
      super(config as never);
      if (config.size === undefined) throw new Error('a size is needed');
    }
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return tf.clone([inputs].flat()[0]!);
    }
  }
  const model = functional((x) =>
    new Picky({ name: 'picky', size: 1 }).apply(bn().apply(layers.dense({ units: 2 }).apply(x))),
  );
  const act = () => foldBatchNorm(model);
  expect(act).toThrow(FoldError);
  expect(act).toThrow(/'picky' \(Picky\).*getConfig.*a size is needed/);
  await expectNoLeaks(tf, () => expect(act).toThrow());
});
