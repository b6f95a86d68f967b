import { weightValues } from '@rebatch/test-models';
import { expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { BatchNormalization, batchNormalization, NotAModelError, StockError, toStock } from '../index.ts';

const { layers } = tfl;
const after = (layer: tfl.layers.Layer, inputShape = [4]) =>
  tfl.sequential({ name: 'net', layers: [layers.dense({ units: 3, inputShape }), layers.reLU(), layer] });

/** A recurrent cell that holds a batch normalization of ours, and makes it by itself. */
class NormalizedCell extends (layers.simpleRNNCell({ units: 1 }).constructor as unknown as new (
  config: object,
) => tfl.layers.Layer) {
  static readonly className = 'NormalizedCell';
  readonly layer = batchNormalization({ name: 'hidden' });
}
tf.serialization.registerClass(NormalizedCell as never);

class Picky extends tfl.layers.Layer {
  static readonly className = 'Picky';
  constructor(config: { size?: number; name?: string }) {
    super(config as never);
    if (config.size === undefined) throw new Error('a size is needed');
  }
  override call(inputs: tf.Tensor | tf.Tensor[]) {
    return tf.clone([inputs].flat()[0]!);
  }
}

class Scaled extends BatchNormalization {}

const REFUSED: [string, () => tfl.LayersModel, RegExp][] = [
  [
    'inference by batch statistics',
    () => after(batchNormalization({ name: 'bn', inferenceStatistics: 'batch' })),
    /layer 'bn' infers by batch statistics.*inferenceStatistics to 'population'/,
  ],
  [
    'the same in a wrapper',
    () =>
      after(
        layers.timeDistributed({ layer: batchNormalization({ name: 'bn', inferenceStatistics: 'batch' }) }),
        [2, 4],
      ),
    /layer 'bn' infers by batch statistics/,
  ],
  [
    'a class that was derived from ours',
    () => after(new Scaled({ name: 'mine' })),
    /layer 'mine' is of a class of its own \(Scaled\).*stockLayer\(copier\) { return super.stockLayer\(copier\); }/,
  ],
  [
    'another axis than the last',
    () => after(batchNormalization({ name: 'bn', axis: 1 }), [5, 5, 4]),
    /layer 'bn' normalizes along axis 1 of 4.*wrong on the cpu and wasm backends. Fold it.*channels last/,
  ],
  [
    'an input of rank 5',
    () => after(batchNormalization({ name: 'bn' }), [2, 2, 2, 4]),
    /layer 'bn' normalizes an input of rank 5.*Fold it.*reshape/,
  ],
  [
    'whole numbers',
    () => {
      const x = tfl.input({ shape: [4], dtype: 'int32' });
      const y = batchNormalization({ name: 'bn' }).apply(x) as tfl.SymbolicTensor;
      return tfl.model({ inputs: x, outputs: y });
    },
    /layer 'bn' normalizes whole numbers.*dtype float32/,
  ],
  [
    'a layer of the user’s that makes ours',
    () =>
      after(
        layers.rnn({
          name: 'rnn',
          cell: new NormalizedCell({ units: 2, recurrentInitializer: 'glorotNormal' }) as never,
        }),
        [3, 4],
      ),
    /makes 'hidden' \(BatchNormalization\) by itself/,
  ],
  [
    'a layer that cannot be copied',
    () => after(new Picky({ name: 'picky', size: 1 })),
    /'picky' \(Picky\) could not be copied.*a size is needed/,
  ],
];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each(REFUSED)('%s, by name, and leaves nothing behind', async (_, build, message) => {
  const model = build();
  const [weights, json] = [weightValues(model), model.toJSON(null, false)];
  expect(() => toStock(model)).toThrow(StockError);
  expect(() => toStock(model)).toThrow(message);
  await expectNoLeaks(tf, () => expect(() => toStock(model)).toThrow());
  expect(weightValues(model)).toEqual(weights);
  expect(model.toJSON(null, false)).toEqual(json);
});

test('a frozen layer infers by population statistics, whatever is set', () => {
  const layer = batchNormalization({ inferenceStatistics: 'batch', frozen: { affine: 'fixed' } });
  expect(toStock(after(layer)).layers[2]!.getConfig()).not.toHaveProperty('frozen');
});

test('what is no model, or not built', () => {
  for (const value of [
    undefined,
    'https://example.org/model.json',
    Promise.resolve(),
    layers.reLU({ name: 'act' }),
  ]) {
    expect(() => toStock(value as never)).toThrow(NotAModelError);
  }
  expect(() => toStock(layers.reLU({ name: 'act' }) as never)).toThrow(/got the layer 'act' alone/);
  expect(() => toStock(tfl.sequential({ name: 'later' }))).toThrow(/'later' is not built/);
});
