import { batchNormLayers, StockError, toStock } from '@rebatch/layers';
import {
  expectSavedAs,
  onEachBackend,
  outputsOf,
  randomizeWeights,
  randomTensor,
  savedModel,
  weightsByName,
} from '@rebatch/test-models';
import { predictElsewhere } from '@rebatch/test-models/elsewhere';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  convertToSync,
  GhostBatchNormalization,
  ghostBatchNormalization,
  Shuffled,
  shuffled,
  syncBatchNormalization,
} from './index.ts';
// Loading a model would build the layers of this package.
import './register.ts';

const { layers } = tfl;

/** What there is to choose in a model: its batch normalization, and what is around its blocks. */
interface Choice {
  readonly bn: (config: { name: string; inputShape?: number[] }) => tfl.layers.Layer;
  readonly around: (block: tfl.layers.Layer) => tfl.layers.Layer;
}

const STOCK: Choice = { bn: (config) => layers.batchNormalization(config), around: (block) => block };
const shuffle: Choice['around'] = (block) => shuffled(block, { groups: 2, seed: 3 });
const OURS: [string, Choice][] = [
  [
    'ghost',
    { ...STOCK, bn: (config) => ghostBatchNormalization({ ...config, groups: 2, assign: 'random' }) },
  ],
  ['synchronized', { ...STOCK, bn: syncBatchNormalization }],
  ['shuffled', { ...STOCK, around: shuffle }],
  [
    'ghost ones in shuffled',
    { bn: (config) => ghostBatchNormalization({ ...config, groupSize: 2 }), around: shuffle },
  ],
  ['shuffled twice', { ...STOCK, around: (block) => shuffle(shuffle(block)) }],
];

const BUILDERS: Record<string, (choice: Choice) => tfl.LayersModel> = {
  'a sequence of layers': ({ bn, around }) =>
    tfl.sequential({
      name: 'sequence',
      layers: [
        layers.dense({ name: 'in', units: 4, inputShape: [3] }),
        around(bn({ name: 'bn' })),
        around(layers.dense({ name: 'out', units: 2 })),
      ],
    }),
  'blocks, one of them first, another in a wrapper': ({ bn, around }) => {
    const block = (name: string, inputShape: number[]) =>
      tfl.sequential({
        name,
        layers: [layers.dense({ name: `${name}_in`, units: 4, inputShape }), bn({ name: `${name}_bn` })],
      });
    return tfl.sequential({
      name: 'blocks',
      layers: [
        layers.inputLayer({ name: 'x', inputShape: [5, 3] }),
        around(block('whole', [5, 3])),
        layers.timeDistributed({ name: 'steps', layer: around(block('each', [4])) }),
      ],
    });
  },
  'a shared block in a graph': ({ bn, around }) => {
    const [a, b] = [tfl.input({ name: 'a', shape: [3] }), tfl.input({ name: 'b', shape: [3] })];
    const tower = around(
      tfl.sequential({
        name: 'tower',
        layers: [layers.dense({ name: 'in', units: 4, inputShape: [3] }), bn({ name: 'bn' })],
      }),
    );
    const [left, right] = [a, b].map((x) => tower.apply(x) as tfl.SymbolicTensor);
    const sum = layers.add({ name: 'sum' }).apply([left!, right!]) as tfl.SymbolicTensor;
    return tfl.model({ name: 'twins', inputs: [a, b], outputs: [sum, right!] });
  },
};

const disposeWeights = (model: tfl.LayersModel) => tf.dispose(model.getWeights());

const CASES = OURS.flatMap(([kind, choice]) => Object.keys(BUILDERS).map((name) => ({ kind, choice, name })));

onEachBackend((backend) => {
  test.each(CASES)('$kind layers in $name become the stock model', async ({ kind, choice, name }) => {
    const [model, expected] = [BUILDERS[name]!(choice), BUILDERS[name]!(STOCK)];
    randomizeWeights(model, 5);
    randomizeWeights(expected, 5);
    const xs = model.inputs.map(({ shape }, at) => randomTensor([4, ...(shape.slice(1) as number[])], at));
    const before = {
      y: outputsOf(model, xs),
      weights: weightsByName(model),
      json: model.toJSON(null, false),
    };

    const shipped = toStock(model);
    await expectSavedAs(shipped, expected);
    const y = outputsOf(shipped, xs);
    expect(y).toEqual(outputsOf(expected, xs));
    for (const [at, values] of y.entries()) expectClose(values, before.y[at]!, 2e-6);
    // Once per kind of layer: a process takes a second to start.
    if (backend === 'cpu' && (name === 'a shared block in a graph' || kind === 'shuffled')) {
      expect(await predictElsewhere(shipped, xs)).toEqual(y);
    }

    expect(outputsOf(model, xs)).toEqual(before.y);
    expect(weightsByName(model)).toEqual(before.weights);
    expect(model.toJSON(null, false)).toEqual(before.json);
    disposeWeights(shipped);
    await expectNoLeaks(tf, () => disposeWeights(toStock(model)));
  });
});

test('undoes convertToSync', async () => {
  const model = BUILDERS['a shared block in a graph']!(STOCK);
  const before = await savedModel(model);
  const back = await savedModel(toStock(convertToSync(model)));
  expect(back.modelTopology).toEqual(before.modelTopology);
  expect(back.weightData).toEqual(before.weightData);
});

test('derived classes answer for themselves', () => {
  class OtherGhost extends GhostBatchNormalization {}
  class OtherShuffled extends Shuffled {}
  class SameShuffled extends Shuffled {
    override stockLayer(...args: Parameters<Shuffled['stockLayer']>) {
      return super.stockLayer(...args);
    }
  }
  const around = (layer: tfl.layers.Layer) =>
    toStock(tfl.sequential({ layers: [layers.dense({ units: 2, inputShape: [3] }), layer] }));
  const relu = layers.reLU({ name: 'relu' });
  expect(() => around(new OtherGhost({ name: 'mine', groups: 2 }))).toThrow(
    "'mine' is of a class of its own (OtherGhost)",
  );
  expect(() => around(new OtherShuffled({ name: 'mine', groups: 2, layer: relu }))).toThrow(
    '(OtherShuffled)',
  );
  expect(around(new SameShuffled({ groups: 2, layer: relu })).layers[1]!.name).toBe('relu');
});

test('a shuffled layer that knows the input shape itself', () => {
  const around = (layer: tfl.layers.Layer) => new Shuffled({ layer, groups: 2, inputShape: [3] } as never);
  const model = tfl.sequential({ layers: [around(layers.dense({ name: 'dense', units: 2 }))] });
  const shipped = toStock(model);
  expect(shipped.layers.map(({ name }) => name)).toEqual(['dense']);
  const x = randomTensor([4, 3], 1);
  expect(outputsOf(shipped, [x])).toEqual(outputsOf(model, [x]));
});

test('inference by batch statistics is refused, in a shuffled block, too', async () => {
  const model = BUILDERS['a sequence of layers']!({
    bn: (config) => ghostBatchNormalization({ ...config, groups: 2, inferenceStatistics: 'batch' }),
    around: shuffle,
  });
  expect(() => toStock(model)).toThrow(StockError);
  expect(() => toStock(model)).toThrow("toStock: layer 'bn' infers by batch statistics");
  await expectNoLeaks(tf, () => expect(() => toStock(model)).toThrow());
  expect(batchNormLayers(model).map((layer) => layer.getClassName())).toEqual(['GhostBatchNormalization']);
});
