import { onEachBackend, randomizeWeights, randomTensor, weightsByName } from '@rebatch/test-models';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  type DomainBatchNormalizationConfig,
  DomainLayerError,
  domainBatchNormalization,
  type Sharing,
  withDomain,
} from '../index.ts';
import { momentsOfDomains, moved, normalizeByDomain } from './reference.test.support.ts';

const DOMAINS = ['photo', 'sketch'];
const SHARINGS: readonly Sharing[] = ['shared', 'per-domain'];
const COMBINATIONS = SHARINGS.flatMap((population) => SHARINGS.map((affine) => ({ population, affine })));

function build(config: Partial<DomainBatchNormalizationConfig> = {}) {
  const layer = domainBatchNormalization({ name: 'bn', domains: DOMAINS, momentum: 0.9, ...config });
  withDomain(layer, 'photo', () => tf.tidy(() => void layer.apply(tf.ones([4, 3]))));
  randomizeWeights(layer, 5);
  return layer;
}

/** The names of a domain's four variables. */
function namesOf(domain: number, { population, affine }: { population: Sharing; affine: Sharing }) {
  const own = (sharing: Sharing) => (sharing === 'per-domain' && domain > 0 ? `domain_${domain}/` : '');
  return {
    gamma: `bn/${own(affine)}gamma`,
    beta: `bn/${own(affine)}beta`,
    mean: `bn/${own(population)}moving_mean`,
    variance: `bn/${own(population)}moving_variance`,
  };
}

onEachBackend(() => {
  test.each(COMBINATIONS)(
    'population $population, affine $affine: each domain by what is its own',
    (sharing) => {
      const layer = build({ statistics: { population: sharing.population }, affine: sharing.affine });
      const x = randomTensor([7, 3], 1);
      const batch = { x: x.dataSync(), ids: Array(7).fill(1), positions: 1, channels: 3 };
      const before = weightsByName(layer);
      const names = namesOf(1, sharing);
      const of = (moments: { mean: ArrayLike<number>; variance: ArrayLike<number> }) => () => ({
        ...moments,
        gamma: before[names.gamma]!,
        beta: before[names.beta]!,
      });
      const run = (training: boolean) =>
        withDomain(layer, 'sketch', () =>
          tf.tidy(() => (layer.apply(x, { training }) as tf.Tensor).dataSync().slice()),
        );

      const population = { mean: before[names.mean]!, variance: before[names.variance]! };
      expectClose(run(false), normalizeByDomain(batch, of(population)), 1e-5);
      const moments = momentsOfDomains(batch, [1]);
      expectClose(run(true), normalizeByDomain(batch, of(moments)), 1e-5);

      const after = weightsByName(layer);
      expectClose(after[names.mean]!, moved(before[names.mean]!, moments.mean, 0.9), 1e-5);
      expectClose(after[names.variance]!, moved(before[names.variance]!, moments.variance, 0.9), 1e-5);
      const others = Object.keys(before).filter((name) => name !== names.mean && name !== names.variance);
      for (const name of others) expect(after[name]).toEqual(before[name]);
    },
  );

  test('leaks no tensors', async () => {
    const layer = build({ affine: 'per-domain' });
    const x = randomTensor([4, 3], 1);
    await expectNoLeaks(tf, () => {
      for (const training of [true, false]) {
        const y = withDomain(layer, 'sketch', () => layer.apply(x, { training })) as tf.Tensor;
        y.dispose();
      }
    });
    const before = tf.memory().numTensors;
    // A layer that was never applied in a graph is disposed by its variables.
    const another = build({ affine: 'per-domain', statistics: { population: 'shared' } });
    expect(another.dispose().numDisposedVariables).toBe(6);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test.each(COMBINATIONS)(
  'population $population, affine $affine: only what is not shared exists twice',
  (sharing) => {
    const layer = build({ statistics: { population: sharing.population }, affine: sharing.affine });
    const names = new Set([0, 1].flatMap((domain) => Object.values(namesOf(domain, sharing))));
    expect(new Set(Object.keys(weightsByName(layer)))).toEqual(names);
    expect(layer.weights.length).toBe(names.size);
    const affine = sharing.affine === 'shared' ? 2 : 4;
    expect(layer.trainableWeights.length).toBe(affine);
    expect(layer.countParams()).toBe(3 * names.size);
    // Held, the weights keep their order, as checkpoints need it.
    const order = layer.weights.map(({ originalName }) => originalName);
    layer.trainable = false;
    expect(layer.trainableWeights).toEqual([]);
    expect(layer.weights.map(({ originalName }) => originalName)).toEqual(order);
    expect(layer.layers.length).toBe(sharing.population === 'shared' ? 1 : 2);
  },
);

test('regularizers of gamma and beta count once per variable', () => {
  const penalty = (sharing: Partial<DomainBatchNormalizationConfig>) => {
    const layer = build({ gammaRegularizer: 'l1l2', ...sharing });
    return layer.losses.length;
  };
  expect(penalty({})).toBe(1);
  expect(penalty({ affine: 'per-domain' })).toBe(2);
  expect(penalty({ affine: 'per-domain', statistics: { population: 'shared' } })).toBe(2);
});

test('a model trains each domain on its own statistics, and what they share on both', async () => {
  await tf.setBackend('cpu');
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 3, inputShape: [2] }),
      domainBatchNormalization({ domains: DOMAINS, name: 'domains', affine: 'per-domain' }),
      tfl.layers.dense({ units: 1 }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const [x, y] = [randomTensor([8, 2], 1), randomTensor([8, 1], 2)];
  const before = weightsByName(model.layers[1]!);
  await withDomain(model, 'sketch', () => model.fit(x, y, { epochs: 1, verbose: 0, yieldEvery: 'never' }));
  const after = weightsByName(model.layers[1]!);
  for (const [name, values] of Object.entries(before)) {
    if (name.includes('domain_1')) expect(after[name], name).not.toEqual(values);
    else expect(after[name], name).toEqual(values);
  }
  await expect(model.fit(x, y, { verbose: 0 })).rejects.toThrow('(photo, sketch) at hand, got none');
});

test.each([
  [{ domains: [] }, 'expected domains to be a list of at least one name, got []'],
  [{ domains: 'photo' }, 'expected domains to be a list of at least one name, got "photo"'],
  [{ domains: ['a', ''] }, 'at least one name, got ["a", ""]'],
  [{ domains: new Set(['a']) }, 'at least one name, got a Set'],
  [{ domains: ['a'], affine: Number.NaN }, "'shared' or 'per-domain', got NaN"],
  [{ domains: ['a', 'b', 'a'] }, "names of the domains to differ, got 'a' twice"],
  [
    { domains: ['a'], from: 'order' },
    "expected from to be 'scope' or 'input' or 'application', got \"order\"",
  ],
  [
    { domains: ['a'], statistics: { train: 'joint' } },
    "expected statistics.train to be 'shared' or 'per-domain'",
  ],
  [{ domains: ['a'], statistics: { population: 1 } }, "expected statistics.population to be 'shared' or"],
  [{ domains: ['a'], afine: 'shared' }, 'got one of the name "afine". Did you mean affine?'],
  [{ domains: ['a'], statistics: { trian: 'shared' } }, 'got one of the name "trian". Did you mean train?'],
  [{ domains: ['a'], affine: true }, "expected affine to be 'shared' or 'per-domain', got true"],
])('%j is refused', (config, message) => {
  const make = () => domainBatchNormalization({ name: 'bn', ...config } as DomainBatchNormalizationConfig);
  expect(make).toThrow(DomainLayerError);
  expect(make).toThrow(`Layer 'bn': `);
  expect(make).toThrow(message);
});

test.each([null, undefined, 5])('a configuration that is none is refused: %j', (config) => {
  const make = () => domainBatchNormalization(config as never);
  expect(make).toThrow(DomainLayerError);
  expect(make).toThrow(
    /expected options to be an object such as \{domains: \.\.\.\}, got (null|undefined|5)/,
  );
});

test('what an ordinary layer refuses is refused', () => {
  expect(() => domainBatchNormalization({ domains: DOMAINS, momentum: 2 })).toThrow(
    'expected momentum to be a finite number >= 0 and <= 1, got 2',
  );
  const layer = domainBatchNormalization({ domains: DOMAINS, axis: 4 });
  expect(() => withDomain(layer, 'photo', () => layer.apply(tf.ones([2, 3])))).toThrow('a channel axis 4');
});
