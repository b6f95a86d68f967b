// Where a ReLU alone reads what a batch norm gives: there nothing changes if what lies below 0 is left out.
import { normalize } from '@rebatch/core';
import { batchNormalization } from '@rebatch/layers';
import { seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { layersModel } from '../index.ts';

type Symbolic = tfl.SymbolicTensor;

const UNITS = 3;
const norm = () => tfl.layers.batchNormalization();
const dense = () => tfl.layers.dense({ units: UNITS, inputShape: [UNITS] });
const apply = (layer: tfl.layers.Layer, x: Symbolic | Symbolic[]) => layer.apply(x) as Symbolic;
const chain = (...layers: tfl.layers.Layer[]) => tfl.sequential({ layers: [dense(), ...layers] });

/** A model of one input, by its outputs. */
function graph(make: (x: Symbolic) => Symbolic | Symbolic[]): tfl.LayersModel {
  const inputs = tfl.input({ shape: [UNITS] });
  return tfl.model({ inputs, outputs: make(inputs) });
}

const CASES: [string, boolean[], () => tfl.LayersModel][] = [
  ['a ReLU', [true], () => chain(norm(), tfl.layers.reLU(), dense())],
  ['one of our layers before it', [true], () => chain(batchNormalization(), tfl.layers.reLU())],
  ['an activation relu', [true], () => chain(norm(), tfl.layers.activation({ activation: 'relu' }))],
  ['an activation relu6', [true], () => chain(norm(), tfl.layers.activation({ activation: 'relu6' }))],
  ['a ReLU with a maximum', [true], () => chain(norm(), tfl.layers.reLU({ maxValue: 2 }))],
  ['a dense layer', [false], () => chain(norm(), dense(), tfl.layers.reLU())],
  ['an activation tanh', [false], () => chain(norm(), tfl.layers.activation({ activation: 'tanh' }))],
  ['a leaky ReLU', [false], () => chain(norm(), tfl.layers.leakyReLU())],
  ['nothing: the end of the model', [false], () => chain(norm())],
  [
    'a sum with a skip before the ReLU',
    [true, false],
    () =>
      graph((x) => {
        const first = apply(tfl.layers.reLU(), apply(norm(), x));
        const sum = apply(tfl.layers.add(), [first, apply(norm(), apply(dense(), first))]);
        return apply(tfl.layers.reLU(), sum);
      }),
  ],
  [
    'two ReLUs',
    [true],
    () =>
      graph((x) => {
        const y = apply(norm(), x);
        return apply(tfl.layers.add(), [
          apply(tfl.layers.reLU(), y),
          apply(tfl.layers.reLU({ maxValue: 1 }), y),
        ]);
      }),
  ],
  [
    'a ReLU and an output',
    [false],
    () =>
      graph((x) => {
        const y = apply(norm(), x);
        return [y, apply(tfl.layers.reLU(), y)];
      }),
  ],
  [
    'a ReLU after one of two applications',
    [false],
    () =>
      graph((x) => {
        const shared = norm();
        const first = apply(tfl.layers.reLU(), apply(shared, x));
        return apply(dense(), apply(shared, first));
      }),
  ],
  ['a ReLU in a nested model', [true], () => chain(chain(norm(), tfl.layers.reLU()), dense())],
  ['a ReLU after a nested model', [true], () => chain(chain(norm()), tfl.layers.reLU())],
  [
    'a ReLU after a nested model that comes first',
    [true],
    () => tfl.sequential({ layers: [chain(norm()), tfl.layers.reLU()] }),
  ],
  ['a dense layer after a nested model', [false], () => chain(chain(norm()), dense())],
  [
    'a nested model that begins with a ReLU',
    [true],
    () =>
      chain(
        norm(),
        graph((x) => apply(dense(), apply(tfl.layers.reLU(), x))),
      ),
  ],
  [
    'a nested model that begins with a sum',
    [false],
    () =>
      chain(
        norm(),
        graph((x) => apply(tfl.layers.add(), [x, apply(tfl.layers.reLU(), x)])),
      ),
  ],
  [
    'a nested model that is applied twice, once with a ReLU after it',
    [false],
    () =>
      graph((x) => {
        const inner = chain(norm());
        return apply(inner, apply(tfl.layers.reLU(), apply(inner, x)));
      }),
  ],
  [
    'a nested model that hands on',
    [false],
    () =>
      chain(
        norm(),
        graph((x) => x),
      ),
  ],
];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Weights of either sign, and variances of one. */
function randomize(model: tfl.LayersModel, seed: number): void {
  const random = seededRandom(seed);
  for (const weight of model.weights) {
    const shape = weight.shape as number[];
    const values = random.normals(tf.util.sizeFromShape(shape));
    const positive = weight.originalName.endsWith('variance');
    tf.tidy(() => {
      weight.write(tf.tensor(positive ? values.map((value) => 0.1 + value ** 2) : values, shape));
    });
  }
}

test.each(CASES)('what follows: %s', (_, expected, make) => {
  const model = make();
  const normalized = layersModel(model);
  expect(normalized.rectified).toEqual(expected);
  const inputs = seededRandom(3).normals(40 * UNITS);
  const outputs = (isCut: (site: number) => boolean) =>
    tf.tidy(() =>
      normalized
        .run([tf.tensor2d(inputs, [40, UNITS])], ({ site, x }) => {
          const y = normalize(x, normalized.stored()[site]!, normalized.sites[site]!.options());
          return isCut(site) ? tf.relu(y) : y;
        })!
        .map((y) => [...y.dataSync()]),
    );
  // What is said to be cut off at 0 may be cut off before; what is not, matters for some weights.
  const matters = new Set<number>();
  for (const seed of [1, 2, 3]) {
    randomize(model, seed);
    const plain = outputs(() => false);
    expect(outputs((site) => expected[site]!)).toEqual(plain);
    expected.forEach((_, site) => {
      if (String(outputs((other) => other === site)) !== String(plain)) matters.add(site);
    });
  }
  expect(expected.map((_, site) => !matters.has(site))).toEqual(expected);
  model.dispose();
});

test('a layer that a wrapper holds is not known', () => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.timeDistributed({ layer: norm(), inputShape: [2, UNITS] }) as tfl.layers.Layer,
      tfl.layers.reLU(),
    ],
  });
  expect(layersModel(model).rectified).toEqual([false]);
});
