import * as layersPackage from '@rebatch/layers';
import { batchNormalization, freezeBatchNorm, StockError } from '@rebatch/layers';
import {
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
  convertToDomains,
  DomainBatchNormalization,
  DomainError,
  DomainLayerError,
  type DomainSettings,
  domainBatchNormalization,
  type Sharing,
  toStock,
  UnknownDomainError,
  withDomain,
} from '../index.ts';
import '../register.ts';

const { layers } = tfl;
const DOMAINS = ['day', 'night', 'fog'];
const SHARINGS: readonly Sharing[] = ['shared', 'per-domain'];
const CHOICES = SHARINGS.flatMap((population) =>
  SHARINGS.map((affine) => ({ affine, statistics: { population, train: population } })),
);
const title = 'population $statistics.population, affine $affine';

type Tensor = tfl.SymbolicTensor;
const apply = (layer: tfl.layers.Layer, ...inputs: Tensor[]) =>
  layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as Tensor;

const disposeWeights = (model: tfl.LayersModel) => tf.dispose(model.getWeights());

/** A model as it was built with tf.layers' own: nested, wrapped, and a plain one. */
function ordinary() {
  const inner = tfl.sequential({
    name: 'inner',
    layers: [
      layers.dense({ name: 'in', units: 4, inputShape: [5, 3] }),
      layers.batchNormalization({ name: 'deep' }),
    ],
  });
  const model = tfl.sequential({
    name: 'net',
    layers: [
      inner,
      layers.timeDistributed({
        name: 'steps',
        layer: layers.batchNormalization({ name: 'wrapped', scale: false }),
      }),
      layers.dense({ name: 'head', units: 2, trainable: false }),
      batchNormalization({ name: 'last', trainable: false, momentum: 0.5 }),
    ],
  });
  randomizeWeights(model, 3);
  return model;
}

/** Runs a body that must leave a model as it is, and a function that makes another one leaking nothing. */
async function leavingAlone(model: tfl.LayersModel, make: () => tfl.LayersModel, body: () => unknown) {
  const parts = () =>
    model.layers.map((layer) => (layer as Partial<DomainBatchNormalization>).layers?.[0]?.gamma);
  const before = { weights: weightsByName(model), json: model.toJSON(null, false), parts: parts() };
  await body();
  await expectNoLeaks(tf, () => disposeWeights(make()));
  expect(weightsByName(model)).toEqual(before.weights);
  expect(model.toJSON(null, false)).toEqual(before.json);
  parts().forEach((gamma, at) => {
    expect(gamma).toBe(before.parts[at]);
  });
}

onEachBackend((backend) => {
  test.each(CHOICES)(`convertToDomains, ${title}: the stock model of one domain`, async (choice) => {
    const model = convertToDomains(ordinary(), { domains: DOMAINS, ...choice });
    randomizeWeights(model, 4);
    const x = randomTensor([4, 5, 3], 1);
    const stock = await savedModel(toStock(ordinary()));
    for (const domain of DOMAINS) {
      const expected = withDomain(model, domain, () => outputsOf(model, [x]));
      await leavingAlone(
        model,
        () => toStock(model, domain),
        async () => {
          const shipped = toStock(model, domain);
          const saved = await savedModel(shipped);
          expect(saved.modelTopology).toEqual(stock.modelTopology);
          expect(saved.weightSpecs).toEqual(stock.weightSpecs);
          const y = outputsOf(shipped, [x]);
          expectClose(y[0]!, expected[0]!, 2e-6);
          if (backend === 'cpu' && domain === 'fog') expect(await predictElsewhere(shipped, [x])).toEqual(y);
        },
      );
    }
  });

  test.each(CHOICES)(`domains from an input, ${title}: the input of numbers goes`, async (choice) => {
    const config: DomainSettings = { domains: DOMAINS, from: 'input', ...choice };
    const numbers = () => tfl.input({ name: 'ids', shape: [1], dtype: 'int32' });
    // A nested model that takes the numbers, too, and numbers that pass through another layer.
    const [x, ids] = [tfl.input({ name: 'inner_x', shape: [4] }), numbers()];
    const bn = domainBatchNormalization({ name: 'inner_bn', ...config });
    const inner = tfl.model({ name: 'inner', inputs: [ids, x], outputs: apply(bn, x, ids) });
    const [image, side, camera] = [
      tfl.input({ name: 'image', shape: [4] }),
      tfl.input({ name: 'side', shape: [4] }),
      numbers(),
    ];
    const passed = apply(layers.reshape({ name: 'passed', targetShape: [1] }), camera);
    const first = apply(domainBatchNormalization({ name: 'bn', ...config }), image, passed);
    const second = apply(inner, camera, apply(layers.dense({ name: 'dense', units: 4 }), first));
    const sum = apply(layers.add({ name: 'sum' }), second, side);
    const model = tfl.model({ name: 'cameras', inputs: [side, camera, image], outputs: [sum, first] });
    randomizeWeights(model, 6);
    const [a, b] = [randomTensor([3, 4], 1), randomTensor([3, 4], 2)];
    for (const [number, domain] of DOMAINS.entries()) {
      const expected = outputsOf(model, [a, tf.fill([3, 1], number, 'int32'), b]);
      await leavingAlone(
        model,
        () => toStock(model, domain),
        async () => {
          const shipped = toStock(model, domain);
          expect(shipped.inputNames).toEqual(['side', 'image']);
          expect(shipped.layers.map(({ name }) => name)).not.toContain('passed');
          expect(shipped.weights.map(({ originalName }) => originalName)).toEqual([
            ...['bn/gamma', 'bn/beta', 'dense/kernel', 'dense/bias', 'inner_bn/gamma', 'inner_bn/beta'],
            ...['bn', 'inner_bn'].flatMap((name) => [`${name}/moving_mean`, `${name}/moving_variance`]),
          ]);
          const y = outputsOf(shipped, [a, b]);
          for (const [at, values] of y.entries()) expectClose(values, expected[at]!, 2e-6);
          if (backend === 'cpu' && domain === 'fog')
            expect(await predictElsewhere(shipped, [a, b])).toEqual(y);
        },
      );
    }
  });

  test.each(CHOICES)(
    `domains from applications, ${title}: a layer for each, or one for all`,
    async (choice) => {
      const head = () =>
        domainBatchNormalization({ name: 'head', domains: DOMAINS, from: 'application', ...choice });
      const inputs = () =>
        [4, 2, 1].map((side, at) => tfl.input({ name: `level_${at}`, shape: [side, side, 3] }));
      const xs = [4, 2, 1].map((side, at) => randomTensor([2, side, side, 3], at));
      const relu = layers.reLU({ name: 'relu' });
      const models = [
        () => {
          // Two lists: the layer is applied twice.
          const [levels, layer] = [inputs(), head()];
          const once = (layer.apply(levels) as Tensor[]).map((y) => apply(relu, y));
          return tfl.model({ name: 'heads', inputs: levels, outputs: layer.apply(once) as Tensor[] });
        },
        () => {
          // Single applications, the last level first among the outputs.
          const [levels, layer] = [inputs(), head()];
          const ys = levels.map((level) => apply(layer, level));
          return tfl.model({ name: 'heads', inputs: levels, outputs: ys.toReversed() });
        },
      ];
      for (const make of models) {
        const model = make();
        randomizeWeights(model, 7);
        const expected = outputsOf(model, xs);
        await leavingAlone(
          model,
          () => toStock(model),
          async () => {
            const shipped = toStock(model);
            const allShared = choice.affine === 'shared' && choice.statistics.population === 'shared';
            const names = allShared ? ['head'] : DOMAINS.map((_, at) => `head_domain_${at}`);
            const norms = shipped.layers.filter((layer) => layer.getClassName() === 'BatchNormalization');
            expect(norms.map(({ name }) => name).sort()).toEqual(names);
            expect(JSON.stringify(shipped.toJSON())).not.toContain('Domain');
            const y = outputsOf(shipped, xs);
            for (const [at, values] of y.entries()) expectClose(values, expected[at]!, 2e-6);
            if (backend === 'cpu' && !allShared) expect(await predictElsewhere(shipped, xs)).toEqual(y);
          },
        );
      }
    },
  );
});

test('one domain needs no choice, and is found where it is chosen', async () => {
  await tf.setBackend('cpu');
  const model = convertToDomains(ordinary(), { domains: ['only'] });
  const expected = await savedModel(toStock(ordinary()));
  for (const shipped of [toStock(model), toStock(model, 'only')]) {
    expect(await savedModel(shipped)).toEqual(expected);
  }
});

test('frozen layers become the stock layer', () => {
  const model = freezeBatchNorm(convertToDomains(ordinary(), { domains: DOMAINS }));
  expect(toStock(model, 'day').toJSON(null, false)).toEqual(toStock(ordinary()).toJSON(null, false));
});

test('derived classes answer for themselves', () => {
  class Other extends DomainBatchNormalization {}
  const layer = new Other({ domains: DOMAINS, name: 'mine', inputShape: [3] });
  expect(() => toStock(tfl.sequential({ layers: [layer] }), 'day')).toThrow(
    "'mine' is of a class of its own (Other)",
  );
});

const WITHOUT = { domains: DOMAINS, inputShape: [3], name: 'bn' };
const sequence = (config: object = {}) =>
  tfl.sequential({ name: 'net', layers: [domainBatchNormalization({ ...WITHOUT, ...config })] });

test('a domain that is missing, unknown or not wanted is an error, and nothing is left', async () => {
  await tf.setBackend('cpu');
  const levels = [1, 2, 3].map(() => tfl.input({ shape: [3] }));
  const list = domainBatchNormalization({ domains: DOMAINS, from: 'application' }).apply(levels) as Tensor[];
  const heads = tfl.model({ name: 'heads', inputs: levels, outputs: list });
  const model = sequence();
  const cases: [() => tfl.LayersModel, new (message: string) => Error, string][] = [
    [
      () => toStock(model),
      DomainLayerError,
      "'bn' expected one of its domains (day, night, fog) to ship, got none",
    ],
    [() => layersPackage.toStock(model), DomainLayerError, "toStock(model, 'day') of @rebatch/domains"],
    [() => toStock(model, 'dusk'), UnknownDomainError, "(day, night, fog) to ship, got 'dusk'"],
    [
      () => toStock(ordinary(), 'day'),
      DomainError,
      "no layer of model 'net' takes its domain from a scope or an input",
    ],
    [
      () => toStock(model, { domain: 'day' } as never),
      UnknownDomainError,
      'to ship, got an object with domain.',
    ],
    [() => toStock(ordinary(), {} as never), DomainError, 'got the domain an object without members, but no'],
    [() => toStock(heads, 'day'), DomainError, "no layer of model 'heads' takes its domain"],
    [() => toStock(undefined as never, 'day'), layersPackage.NotAModelError, 'got undefined'],
    [
      () => toStock(sequence({ inferenceStatistics: 'batch' }), 'night'),
      StockError,
      "'bn/night' infers by batch",
    ],
  ];
  for (const [act, kind, message] of cases) {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  }
  for (const [act] of cases.slice(0, 3)) await expectNoLeaks(tf, () => expect(act).toThrow());
});
