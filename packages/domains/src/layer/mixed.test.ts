import { onEachBackend, randomizeWeights, randomTensor, weightsByName } from '@rebatch/test-models';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DomainBatchNormalization,
  type DomainBatchNormalizationConfig,
  domainBatchNormalization,
  type Sharing,
  UnknownDomainError,
  withDomain,
} from '../index.ts';
import { type MixedBatch, momentsOfDomains, moved, normalizeByDomain } from './reference.test.support.ts';

const DOMAINS = ['a', 'b', 'c'];
const SHARINGS: readonly Sharing[] = ['shared', 'per-domain'];
const COMBINATIONS = SHARINGS.flatMap((train) =>
  SHARINGS.flatMap((population) => SHARINGS.map((affine) => ({ train, population, affine }))),
);

interface Choice {
  readonly train: Sharing;
  readonly population: Sharing;
  readonly affine: Sharing;
}

function build({ train, population, affine }: Choice, shape: number[], more: object = {}) {
  const config: DomainBatchNormalizationConfig = {
    ...{ name: 'bn', domains: DOMAINS, from: 'input', momentum: 0.8, ...more },
    statistics: { train, population },
    affine,
  };
  const layer = domainBatchNormalization(config);
  layer.build([shape, [shape[0]!, 1]]);
  randomizeWeights(layer, 5);
  return layer;
}

/** What the domain's variables hold. */
function variablesOf(weights: Record<string, Float32Array>, domain: number, { population, affine }: Choice) {
  const own = (sharing: Sharing) => (sharing === 'per-domain' && domain > 0 ? `domain_${domain}/` : '');
  return {
    gamma: weights[`${own(affine)}gamma`]!,
    beta: weights[`${own(affine)}beta`]!,
    mean: weights[`${own(population)}moving_mean`]!,
    variance: weights[`${own(population)}moving_variance`]!,
  };
}

/** What a training call should give, in float64: outputs, and the moving statistics of each domain after it. */
function expected(batch: MixedBatch, weights: Record<string, Float32Array>, choice: Choice) {
  const all = DOMAINS.map((_, domain) => domain);
  const own = all.map((domain) => momentsOfDomains(batch, [domain]));
  const enough = all.filter((domain) => own[domain]!.count >= 2);
  const y = (x: ArrayLike<number>) => {
    const now = { ...batch, x };
    return normalizeByDomain(now, (domain) => {
      const variables = variablesOf(weights, domain, choice);
      if (choice.train === 'shared') return { ...variables, ...momentsOfDomains(now, all) };
      return enough.includes(domain) ? { ...variables, ...momentsOfDomains(now, [domain]) } : variables;
    });
  };
  const step = (domain: number, towards: { mean: number[]; variance: number[] } | undefined) => {
    const { mean, variance } = variablesOf(weights, domain, choice);
    if (towards === undefined) return { mean, variance };
    return { mean: moved(mean, towards.mean, 0.8), variance: moved(variance, towards.variance, 0.8) };
  };
  const moving = all.map((domain) => {
    if (choice.population === 'shared') {
      const whole = momentsOfDomains(batch, all);
      return step(domain, whole.count >= 2 ? whole : undefined);
    }
    return step(domain, enough.includes(domain) ? own[domain] : undefined);
  });
  return { y, moving };
}

function check(layer: DomainBatchNormalization, choice: Choice, x: tf.Tensor, ids: readonly number[]): void {
  const channels = x.shape.at(-1)!;
  const batch = { x: x.dataSync(), ids, positions: x.size / (ids.length * channels), channels };
  const weights = weightsByName(layer);
  const { y, moving } = expected(batch, weights, choice);
  const numbers = tf.tensor2d([...ids], [ids.length, 1]);
  const actual = tf.tidy(() =>
    (layer.apply([x, numbers], { training: true }) as tf.Tensor).dataSync().slice(),
  );
  expectClose(actual, y(batch.x), 2e-5, 'y');
  const after = weightsByName(layer);
  for (const [domain, { mean, variance }] of moving.entries()) {
    expectClose(variablesOf(after, domain, choice).mean, mean, 2e-5, `mean of ${domain}`);
    expectClose(variablesOf(after, domain, choice).variance, variance, 2e-5, `variance of ${domain}`);
  }
  // Inference: each by its population statistics, however few its samples.
  const inferred = tf.tidy(() => (layer.apply([x, numbers]) as tf.Tensor).dataSync().slice());
  expectClose(
    inferred,
    normalizeByDomain(batch, (domain) => variablesOf(after, domain, choice)),
    2e-5,
    'inference',
  );
}

onEachBackend(() => {
  test.each(COMBINATIONS)('train $train, population $population, affine $affine: as in float64', (choice) => {
    const ids = [2, 0, 1, 1, 0, 2, 0];
    check(build(choice, [7, 2, 2, 3]), choice, randomTensor([7, 2, 2, 3], 1), ids);
    check(build(choice, [7, 5]), choice, randomTensor([7, 5], 2), ids);
  });

  test.each(COMBINATIONS)(
    'train $train, population $population, affine $affine: one row, and none',
    (choice) => {
      // One value per channel of b, nothing of c.
      check(build(choice, [4, 3]), choice, randomTensor([4, 3], 3), [0, 1, 0, 0]);
      // An image has more than one value per channel; a domain of one image is no special case.
      check(build(choice, [4, 2, 2, 3]), choice, randomTensor([4, 2, 2, 3], 3), [0, 1, 0, 0]);
      // No domain has enough for moments of its own.
      check(build(choice, [2, 3]), choice, randomTensor([2, 3], 3), [1, 2]);
    },
  );

  test('each step begins with what the layer holds then, whoever has written it', () => {
    const choice = { train: 'per-domain', population: 'per-domain', affine: 'shared' } as const;
    const layer = build(choice, [7, 5]);
    const ids = [2, 0, 1, 1, 0, 2, 0];
    check(layer, choice, randomTensor([7, 5], 1), ids);
    check(layer, choice, randomTensor([7, 5], 2), ids);
    const one = layer.weights.find(({ originalName }) => originalName.endsWith('domain_1/moving_variance'))!;
    one.write(tf.tensor1d([1, 2, 3, 4, 5]));
    check(layer, choice, randomTensor([7, 5], 3), ids);
    randomizeWeights(layer, 6);
    check(layer, choice, randomTensor([7, 5], 4), ids);
  });

  test('any batch, however its domains are spread', () => {
    const choice = { train: 'per-domain', population: 'per-domain', affine: 'per-domain' } as const;
    const batches = fc.record({
      ids: fc.array(fc.nat(2), { minLength: 1, maxLength: 12 }),
      side: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 9 }),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(batches, ({ ids, side, channels, seed }) => {
        const shape = [ids.length, side, side, channels];
        tf.tidy(() => check(build(choice, shape), choice, randomTensor(shape, seed), ids));
      }),
      { numRuns: 30 },
    );
  });

  test.each(COMBINATIONS)('train $train, affine $affine, population $population: gradients', (choice) => {
    const [ids, shape] = [
      [2, 0, 1, 0, 2, 0],
      [6, 1, 2, 2],
    ];
    const layer = build(choice, shape);
    const [x, dy] = [randomTensor(shape, 4), randomTensor(shape, 5)];
    const batch = { x: x.dataSync(), ids, positions: 2, channels: 2 };
    const weights = weightsByName(layer);
    const numbers = tf.tensor2d(ids, [6, 1]);
    const variables = layer.trainableWeights.map((weight) => weight.read());
    const [dx, ...dweights] = tf.tidy(() =>
      tf
        .grads((input) => layer.apply([input as tf.Tensor, numbers], { training: true }) as tf.Tensor)
        .call(null, [x, ...variables] as never, dy)
        .map((gradient: tf.Tensor) => gradient.dataSync().slice()),
    );
    const loss = (at: ArrayLike<number>, values = weights) => {
      const y = expected(batch, values, choice).y(at);
      return y.reduce((sum, value, i) => sum + value * dy.dataSync()[i]!, 0);
    };
    const numeric = (values: ArrayLike<number>, of: (moved: Float64Array) => number) =>
      Float64Array.from({ length: values.length }, (_, i) => {
        const at = (offset: number) => of(Float64Array.from(values, (v, j) => (i === j ? v + offset : v)));
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      });
    expectClose(
      dx!,
      numeric(batch.x, (at) => loss(at)),
      1e-4,
      'dx',
    );
    for (const [i, { originalName }] of layer.trainableWeights.entries()) {
      const own = weights[originalName]!;
      const gradient = numeric(own, (at) =>
        loss(batch.x, { ...weights, [originalName]: Float32Array.from(at) }),
      );
      // float32 weights: the difference quotient is that rough.
      expectClose(dweights[i]!, gradient, 2e-2, originalName);
    }
  });

  test('leaks no tensors, in a model with a mixed input', async () => {
    const [image, ids] = [tfl.input({ shape: [3] }), tfl.input({ shape: [1], dtype: 'int32' })];
    const layer = domainBatchNormalization({ domains: DOMAINS, from: 'input', affine: 'per-domain' });
    const model = tfl.model({
      inputs: [image, ids],
      outputs: layer.apply([image, ids]) as tfl.SymbolicTensor,
    });
    const [x, numbers] = [randomTensor([6, 3], 1), tf.tensor2d([0, 1, 2, 2, 1, 0], [6, 1], 'int32')];
    await expectNoLeaks(tf, () => {
      for (const training of [true, false]) tf.dispose(model.apply([x, numbers], { training }) as tf.Tensor);
      tf.dispose(model.predict([x, numbers]));
    });
  });

  test('ids in a scope do the same for a layer that takes its domain from there', () => {
    const choice = { train: 'per-domain', population: 'per-domain', affine: 'shared' } as const;
    const byInput = build(choice, [5, 3]);
    const byScope = domainBatchNormalization({ name: 'bn', domains: DOMAINS, momentum: 0.8 });
    byScope.build([5, 3]);
    randomizeWeights(byScope, 5);
    const [x, ids] = [randomTensor([5, 3], 1), [0, 2, 2, 0, 0]];
    const numbers = tf.tensor1d(ids, 'int32');
    for (const training of [true, false]) {
      const one = byInput.apply([x, tf.reshape(numbers, [5, 1])], { training }) as tf.Tensor;
      const other = withDomain(byScope, numbers, () => byScope.apply(x, { training })) as tf.Tensor;
      expect(other.dataSync()).toEqual(one.dataSync());
    }
    expect(weightsByName(byScope)).toEqual(weightsByName(byInput));
  });

  test('a number of no domain is an error that lists the domains, and nothing has moved', () => {
    const layer = build({ train: 'per-domain', population: 'per-domain', affine: 'shared' }, [3, 2]);
    const before = weightsByName(layer);
    const x = randomTensor([3, 2], 1);
    const run = (ids: tf.Tensor) => () =>
      tf.tidy(() => layer.apply([x, ids], { training: true }) as tf.Tensor);
    const expectation =
      "Layer 'bn': expected the number of a domain (0 a, 1 b, 2 c) for each of 3 samples, got ";
    expect(run(tf.tensor2d([0, 3, 1], [3, 1]))).toThrow(`${expectation}3 for sample 1.`);
    expect(run(tf.tensor2d([0, 1, -1], [3, 1]))).toThrow(`${expectation}-1 for sample 2.`);
    expect(run(tf.tensor2d([0.5, 1, 1], [3, 1]))).toThrow(`${expectation}0.5 for sample 0.`);
    expect(run(tf.tensor2d([0, 1], [2, 1]))).toThrow(
      `${expectation.slice(0, -6)}, got numbers of shape [2, 1].`,
    );
    expect(run(tf.tensor2d([0, 3, 1], [3, 1]))).toThrow(UnknownDomainError);
    expect(weightsByName(layer)).toEqual(before);
    expect(() => layer.apply(x)).toThrow('expected two inputs, [x, ids]');
  });
});

test('normalization batches and the sample axis cannot be mixed with domains', () => {
  const choice = { train: 'per-domain', population: 'per-domain', affine: 'shared' } as const;
  const ids = tf.tensor2d([0, 1], [2, 1]);
  const small = build(choice, [2, 3], { normalizationBatchSize: 2 });
  expect(() => small.apply([tf.ones([2, 3]), ids])).toThrow('expected no normalizationBatchSize where');
  const inGroups = () => {
    const normalizationBatches = (samples: number) => ({ count: samples });
    build(choice, [2, 3]).call([tf.ones([2, 3]), ids], { training: true, normalizationBatches });
  };
  expect(inGroups).toThrow('something around the layer chooses others, such as a shuffled block');
  const across = build(choice, [2, 3], { axis: 0 });
  expect(() => across.apply([tf.ones([2, 3]), ids])).toThrow('expected a channel axis other than 0');
});

test('settings of the domains that contradict each other are an error where one call meets both', () => {
  const layer = build({ train: 'per-domain', population: 'per-domain', affine: 'shared' }, [2, 3]);
  layer.layers[1]!.trainingStatistics = 'population';
  const run = () => layer.apply([tf.ones([2, 3]), tf.tensor2d([0, 1], [2, 1])], { training: true });
  expect(run).toThrow("got batch for 'bn/a' and population for 'bn/b'");
});
