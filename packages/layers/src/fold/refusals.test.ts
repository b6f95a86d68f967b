import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { BatchNormalization, batchNormLayers, FoldError, foldBatchNorm, NotAModelError } from '../index.ts';
import { bn, foldAndCompare, functional, randomized, sequence } from './fold.test.support.ts';

const { layers } = tfl;

/** Models with a batch normalization called 'bn' that cannot be folded. */
const REFUSED: [string, () => tfl.LayersModel, RegExp][] = [
  [
    'after an activation in the layer before',
    () => sequence(layers.dense({ name: 'fc', units: 3, inputShape: [4], activation: 'relu' }), bn()),
    /activation 'relu' of 'fc' \(Dense\)/,
  ],
  [
    'after an activation layer',
    () => sequence(layers.dense({ units: 3, inputShape: [4] }), layers.reLU({ name: 'act' }), bn()),
    /after 'act' \(ReLU\).*before the activation/,
  ],
  ['on an input', () => sequence(bn({ inputShape: [4] })), /input of the model/],
  [
    'along another axis',
    () =>
      sequence(
        layers.conv1d({ name: 'conv', filters: 3, kernelSize: 1, inputShape: [4, 2] }),
        bn({ axis: 1 }),
      ),
    /axis 1.*'conv' \(Conv1D\) lie along 2/,
  ],
  [
    'by batch statistics',
    () => sequence(layers.dense({ units: 3, inputShape: [4] }), bn({ inferenceStatistics: 'batch' })),
    /batch statistics/,
  ],
  [
    'of what is also used elsewhere',
    () =>
      functional((x) => {
        const dense = layers.dense({ name: 'fc', units: 3 }).apply(x) as tfl.SymbolicTensor;
        return layers.add().apply([dense, bn().apply(dense) as tfl.SymbolicTensor]);
      }),
    /output of 'fc' \(Dense\).*used elsewhere/,
  ],
  [
    'of what is an output, too',
    () => {
      const x = tfl.input({ shape: [4] });
      const dense = layers.dense({ name: 'fc', units: 3 }).apply(x) as tfl.SymbolicTensor;
      return randomized(tfl.model({ inputs: x, outputs: [dense, bn().apply(dense) as tfl.SymbolicTensor] }));
    },
    /output of 'fc' \(Dense\).*used elsewhere/,
  ],
  [
    'of shared weights',
    () =>
      functional((x) => {
        const shared = layers.dense({ name: 'fc', units: 4 });
        const once = shared.apply(x) as tfl.SymbolicTensor;
        return layers
          .add()
          .apply([bn().apply(once) as tfl.SymbolicTensor, shared.apply(layers.reLU().apply(x)) as never]);
      }),
    /'fc' \(Dense\) before it is applied 2 times/,
  ],
  [
    'that is shared',
    () =>
      functional((x) => {
        const shared = bn();
        const one = shared.apply(layers.dense({ units: 4 }).apply(x)) as tfl.SymbolicTensor;
        return shared.apply(layers.dense({ units: 4 }).apply(one));
      }),
    /it is applied 2 times/,
  ],
  [
    'inside of a wrapper',
    () =>
      sequence(
        layers.dense({ units: 3, inputShape: [2, 4] }),
        layers.timeDistributed({ name: 'steps', layer: bn() }),
      ),
    /inside of 'steps' \(TimeDistributed\)/,
  ],
  [
    'after a class that a user derived',
    () => {
      const Dense = layers.dense({ units: 1 }).constructor as unknown as new (
        config: object,
      ) => tfl.layers.Layer;
      class Other extends Dense {}
      return sequence(new Other({ name: 'mine', units: 3, inputShape: [4] }), bn());
    },
    /after 'mine' \(Dense\)/,
  ],
  [
    'of a class that a user derived',
    () => {
      class Scaled extends BatchNormalization {}
      const Stock = layers.batchNormalization().constructor as unknown as typeof BatchNormalization;
      class Derived extends Stock {}
      const [ours, theirs] = [new Scaled({ name: 'ours' }), new Derived({ name: 'bn' })];
      return sequence(layers.dense({ units: 3, inputShape: [4] }), theirs, layers.reLU(), ours);
    },
    /class Derived may compute something else/,
  ],
];

test.each(REFUSED)('keeps, with a reason: normalization %s', async (_, build, reason) => {
  await tf.setBackend('cpu');
  const model = build();
  const { model: folded, kept } = foldAndCompare(model);
  expect(kept.find(({ name }) => name === 'bn')?.reason).toMatch(reason);
  expect(batchNormLayers(folded).map(({ name }) => name)).toContain('bn');
  expect(() => foldBatchNorm(model, { strict: true })).toThrow(FoldError);
  expect(() => foldBatchNorm(model, { strict: true })).toThrow(/'bn': /);
});

test('what is no model, and options that there are not, are refused', () => {
  const model = sequence(layers.dense({ units: 2, inputShape: [2] }), bn());
  expect(() => foldBatchNorm(undefined as never)).toThrow(NotAModelError);
  expect(() => foldBatchNorm(model, { strikt: true } as never)).toThrow('Did you mean strict?');
  expect(() => foldBatchNorm(model, { strict: 1 } as never)).toThrow(
    'expected option strict to be true or false',
  );
});

test('with channels first, conv1d and separable convolutions refuse: they add their bias elsewhere', () => {
  const options = { filters: 4, kernelSize: 1, dataFormat: 'channelsFirst' } as const;
  const model = sequence(
    layers.separableConv2d({ ...options, inputShape: [3, 4, 4], useBias: false }),
    bn({ axis: 1 }),
  );
  expect(foldAndCompare(model).kept[0]!.reason).toMatch(/channels first/);
});
