// Steps that do not count, in layers of several domains.
import { recalibrate } from '@rebatch/recalibrate';
import { onEachBackend, weightsByName } from '@rebatch/test-models';
import { expectClose, expectNoLeaks, referenceSlotNorm, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { type DomainBatchNormalizationConfig, domainBatchNormalization, withDomain } from '../index.ts';

const EPSILON = 1e-3;
const [SAMPLES, STEPS, CHANNELS] = [6, 4, 2];
const LENGTHS = [4, 2, 3, 1, 4, 2];
/** The domain of each sample; the third has none. */
const DOMAIN_OF = [0, 1, 1, 0, 1, 0];
const DOMAINS = ['a', 'b', 'c'];

const sampleOf = (i: number) => Math.floor(i / (STEPS * CHANNELS));
const counts = (i: number) => Math.floor(i / CHANNELS) % STEPS < LENGTHS[sampleOf(i)]!;
const values = seededRandom(8)
  .normals(SAMPLES * STEPS * CHANNELS, 3, 2)
  .map((value, i) => (counts(i) ? value : 0));
const dy = seededRandom(9).normals(values.length);
const input = () => tf.tensor(values, [SAMPLES, STEPS, CHANNELS]);

function build(more: Partial<DomainBatchNormalizationConfig>) {
  const layer = domainBatchNormalization({
    ...{ domains: DOMAINS, momentum: 0, center: false, scale: false, epsilon: EPSILON },
    ...more,
  });
  const model = tfl.sequential({ layers: [tfl.layers.masking({ inputShape: [STEPS, CHANNELS] }), layer] });
  return { layer, model };
}

/** In float64, the samples of one domain normalized together, or all of them. */
function reference(groupOf: readonly number[]) {
  const groups = Math.max(...groupOf) + 1;
  const channel = Array.from(values, (_, i) => i % CHANNELS);
  const slots = {
    moments: channel.map((c, i) => groupOf[sampleOf(i)]! * CHANNELS + c),
    affine: channel,
    counts: { moments: groups * CHANNELS, affine: CHANNELS },
  };
  return referenceSlotNorm(values, dy, slots, {
    epsilon: EPSILON,
    counted: Array.from(values, (_, i) => counts(i)),
  });
}

const ofDomain = (own: Float64Array, domain: number) => own.slice(domain * CHANNELS, (domain + 1) * CHANNELS);

onEachBackend(() => {
  test('in a scope: the domain at hand, by the steps that count', () => {
    const { layer, model } = build({});
    const x = input();
    const y = withDomain(model, 'b', () =>
      tf.tidy(() => (model.apply(x, { training: true }) as tf.Tensor).dataSync().slice()),
    );
    const expected = reference(LENGTHS.map(() => 0));
    expectClose(y, expected.y, 1e-5, 'y');
    const weights = weightsByName(layer);
    const of = (name: string) => weights[Object.keys(weights).find((key) => key.endsWith(name))!]!;
    expectClose(of('domain_1/moving_mean'), expected.mean, 1e-5);
    expectClose(of('domain_1/moving_variance'), expected.variance, 1e-5);
    expect([...of('domain_2/moving_mean')]).toEqual([0, 0]);
    x.dispose();
  });

  test.each([
    { train: 'per-domain', population: 'per-domain' },
    { train: 'shared', population: 'per-domain' },
    { train: 'per-domain', population: 'shared' },
    { train: 'shared', population: 'shared' },
  ] as const)('a batch that mixes domains, %o', (statistics) => {
    const { layer, model } = build({ statistics });
    const [x, ids] = [input(), tf.tensor1d(DOMAIN_OF, 'int32')];
    const all = reference(LENGTHS.map(() => 0));
    const each = reference(DOMAIN_OF);
    const got = withDomain(model, ids, () =>
      tf.tidy(() => {
        const y = (model.apply(x, { training: true }) as tf.Tensor).dataSync().slice();
        const moved = layer.layers.map(({ movingMean, movingVariance }) =>
          [movingMean, movingVariance].map((one) => one.read().dataSync().slice()),
        );
        const mask = tf.any(tf.notEqual(x, 0), -1);
        const gradient = tf.grad(
          (input: tf.Tensor) => layer.apply(input, { training: true, mask } as never) as tf.Tensor,
        )(x, tf.tensor(dy, x.shape));
        return { y, moved, dx: gradient.dataSync().slice() };
      }),
    );
    const expected = statistics.train === 'shared' ? all : each;
    expectClose(got.y, expected.y, 1e-5, 'y');
    expectClose(got.dx, expected.dx, 1e-4, 'dx');
    if (statistics.population === 'shared') {
      expectClose(got.moved[0]![0]!, all.mean, 1e-5);
      expectClose(got.moved[0]![1]!, all.variance, 1e-5);
    } else {
      for (const domain of [0, 1]) {
        expectClose(got.moved[domain]![0]!, ofDomain(each.mean, domain), 1e-5);
        expectClose(got.moved[domain]![1]!, ofDomain(each.variance, domain), 1e-5);
      }
      // It is absent, and stays as it was.
      expect(got.moved[2]!.map((own) => [...own])).toEqual([
        [0, 0],
        [1, 1],
      ]);
    }
    tf.dispose([x, ids]);
  });

  test('where all is padded, nothing moves, whoever shares what', () => {
    for (const train of ['per-domain', 'shared'] as const) {
      for (const population of ['per-domain', 'shared'] as const) {
        const { layer, model } = build({ statistics: { train, population } });
        const before = weightsByName(layer);
        const ids = tf.tensor1d([0, 1], 'int32');
        withDomain(model, ids, () =>
          tf.tidy(() => void model.apply(tf.zeros([2, STEPS, CHANNELS]), { training: true })),
        );
        expect(weightsByName(layer)).toEqual(before);
        ids.dispose();
      }
    }
  });

  test('recalibrated in a mixed batch, each domain by its own steps that count', async () => {
    const { layer, model } = build({});
    const [x, ids] = [input(), tf.tensor1d(DOMAIN_OF, 'int32')];
    await withDomain(model, ids, () => recalibrate(model, [x]));
    const { mean, variance } = reference(DOMAIN_OF);
    for (const domain of [0, 1]) {
      const { movingMean, movingVariance } = layer.layers[domain]!;
      expectClose(movingMean.read().dataSync(), ofDomain(mean, domain), 1e-5);
      expectClose(movingVariance.read().dataSync(), ofDomain(variance, domain), 1e-5);
    }
    await expectNoLeaks(tf, () => withDomain(model, ids, () => recalibrate(model, [x])));
    tf.dispose([x, ids]);
  });
});

test('a single value in all domains is normalized where that is wanted', async () => {
  await tf.setBackend('cpu');
  const make = (singleValue: 'throw' | 'normalize') => {
    const layer = domainBatchNormalization({
      ...{ domains: DOMAINS, momentum: 0.5, center: false, scale: false, singleValue },
      statistics: { train: 'shared', population: 'shared' },
    });
    layer.build([null, 1]);
    return layer;
  };
  const [x, ids] = [tf.tensor2d([[7]]), tf.tensor1d([1], 'int32')];
  const refused = make('throw');
  expect(() => withDomain(refused, ids, () => refused.apply(x, { training: true }))).toThrow(
    'at least 2 values',
  );
  const layer = make('normalize');
  const y = withDomain(layer, ids, () => layer.apply(x, { training: true }) as tf.Tensor);
  expect([...y.dataSync()]).toEqual([0]);
  const [inner] = layer.layers;
  expect(inner!.movingMean.read().dataSync()[0]).toBe(3.5);
  expect(inner!.movingVariance.read().dataSync()[0]).toBe(0.5);
  // In one domain, as any layer.
  expect(() => withDomain(refused, 'a', () => refused.apply(x, { training: true }))).toThrow(
    'at least 2 values',
  );
  const alone = withDomain(layer, 'a', () => layer.apply(x, { training: true }) as tf.Tensor);
  expect([...alone.dataSync()]).toEqual([0]);
  tf.dispose([x, ids, y, alone]);
});
