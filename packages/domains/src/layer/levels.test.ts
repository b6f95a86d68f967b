import { recalibrate } from '@rebatch/recalibrate';
import { onEachBackend, randomizeWeights, randomTensor, weightsByName } from '@rebatch/test-models';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  type DomainBatchNormalization,
  DomainLayerError,
  domainBatchNormalization,
  type Sharing,
} from '../index.ts';
import { momentsOfDomains, moved, normalizeByDomain } from './reference.test.support.ts';

const LEVELS = ['p3', 'p4', 'p5'];
/** Samples, and the side of each level's square. */
const [SAMPLES, SIDES, CHANNELS] = [2, [4, 2, 1], 3];
const SHARINGS: readonly Sharing[] = ['shared', 'per-domain'];
const COMBINATIONS = SHARINGS.flatMap((train) =>
  SHARINGS.flatMap((population) => SHARINGS.map((affine) => ({ train, population, affine }))),
);
type Choice = (typeof COMBINATIONS)[number];

function head({ train, population, affine }: Choice): DomainBatchNormalization {
  return domainBatchNormalization({
    ...{ name: 'head', domains: LEVELS, from: 'application', momentum: 0.7, affine },
    statistics: { train, population },
  });
}

const levels = (seed = 1) => SIDES.map((side, i) => randomTensor([SAMPLES, side, side, CHANNELS], seed + i));
const inputs = () => SIDES.map((side) => tfl.input({ shape: [side, side, CHANNELS] }));

/** A model that applies the layer to the list of its inputs. */
function listModel(choice: Choice) {
  const layer = head(choice);
  const list = inputs();
  const model = tfl.model({ inputs: list, outputs: layer.apply(list) as tfl.SymbolicTensor[] });
  randomizeWeights(layer, 5);
  return { layer, model };
}

/** All levels as one batch of rows of one position each; the id of a row is its level. */
function asRows(xs: readonly tf.Tensor[]) {
  const x = xs.flatMap((level) => [...level.dataSync()]);
  const ids = xs.flatMap((level, i) => Array<number>(level.size / CHANNELS).fill(i));
  return { x, ids, positions: 1, channels: CHANNELS };
}

function variablesOf(weights: Record<string, Float32Array>, level: number, { population, affine }: Choice) {
  const own = (sharing: Sharing) => (sharing === 'per-domain' && level > 0 ? `domain_${level}/` : '');
  return {
    gamma: weights[`head/${own(affine)}gamma`]!,
    beta: weights[`head/${own(affine)}beta`]!,
    mean: weights[`head/${own(population)}moving_mean`]!,
    variance: weights[`head/${own(population)}moving_variance`]!,
  };
}

const flat = (ys: tf.Tensor | tf.Tensor[]) => [ys].flat().flatMap((y) => [...y.dataSync()]);

onEachBackend(() => {
  test.each(COMBINATIONS)(
    'train $train, population $population, affine $affine: a list in a model, as in float64',
    (choice) => {
      const { layer, model } = listModel(choice);
      const xs = levels();
      const rows = asRows(xs);
      const before = weightsByName(layer);
      const momentsOf = (level: number) =>
        momentsOfDomains(rows, choice.train === 'shared' ? [0, 1, 2] : [level]);
      const y = tf.tidy(() => flat(model.apply(xs, { training: true }) as tf.Tensor[]));
      const reference = normalizeByDomain(rows, (level) => ({
        ...variablesOf(before, level, choice),
        ...momentsOf(level),
      }));
      expectClose(y, reference, 2e-5, 'y');

      // The moving statistics moved once, though tf.layers runs a layer once per output.
      const after = weightsByName(layer);
      if (choice.population === 'per-domain') {
        for (const level of [0, 1, 2]) {
          const own = momentsOfDomains(rows, [level]);
          const was = variablesOf(before, level, choice);
          expectClose(variablesOf(after, level, choice).mean, moved(was.mean, own.mean, 0.7), 1e-5);
          expectClose(
            variablesOf(after, level, choice).variance,
            moved(was.variance, own.variance, 0.7),
            1e-5,
          );
        }
      } else {
        // Shared training moves them once towards the whole; per-level training by each level in turn.
        const steps = choice.train === 'shared' ? [[0, 1, 2]] : [[0], [1], [2]];
        let { mean, variance }: { mean: ArrayLike<number>; variance: ArrayLike<number> } = variablesOf(
          before,
          0,
          choice,
        );
        for (const step of steps) {
          const towards = momentsOfDomains(rows, step);
          mean = moved(mean, towards.mean, 0.7);
          variance = moved(variance, towards.variance, 0.7);
        }
        expectClose(variablesOf(after, 0, choice).mean, mean, 1e-5);
        expectClose(variablesOf(after, 0, choice).variance, variance, 1e-5);
      }
      const inferred = tf.tidy(() => flat(model.predict(xs) as tf.Tensor[]));
      expectClose(
        inferred,
        normalizeByDomain(rows, (level) => variablesOf(after, level, choice)),
        2e-5,
      );
    },
  );

  test('single applications are the domains in their order, whatever order the graph runs in', () => {
    const choice = { train: 'per-domain', population: 'per-domain', affine: 'per-domain' } as const;
    const layer = head(choice);
    const list = inputs();
    const outputs = list.map((input) => layer.apply(input) as tfl.SymbolicTensor);
    // The last level is needed first.
    const reversed = tfl.model({ inputs: list, outputs: outputs.toReversed() });
    randomizeWeights(layer, 5);
    const { layer: sameInList, model } = listModel(choice);
    expect(weightsByName(layer)).toEqual(weightsByName(sameInList));
    const xs = levels();
    for (const training of [true, false]) {
      const one = (reversed.apply(xs, { training }) as tf.Tensor[]).toReversed();
      expect(flat(one)).toEqual(flat(model.apply(xs, { training }) as tf.Tensor[]));
      expect(weightsByName(layer)).toEqual(weightsByName(sameInList));
    }
  });

  test('gradients through the joint moments reach every level, also from one output alone', () => {
    const choice = { train: 'shared', population: 'shared', affine: 'shared' } as const;
    const layer = head(choice);
    const xs = levels();
    tf.tidy(() => void layer.apply(xs));
    randomizeWeights(layer, 5);
    const rows = asRows(xs);
    const weights = weightsByName(layer);
    const dy = randomTensor(xs[1]!.shape, 9);
    const gradients = tf.tidy(() => {
      const f = (...args: tf.Tensor[]) =>
        tf.sum(tf.mul((layer.apply(args, { training: true }) as tf.Tensor[])[1]!, dy)) as tf.Scalar;
      return flat(tf.grads(f as never)(xs));
    });
    const start = xs[0]!.size;
    const loss = (x: readonly number[]) => {
      const now = { ...rows, x };
      const y = normalizeByDomain(now, () => ({
        ...variablesOf(weights, 0, choice),
        ...momentsOfDomains(now, [0, 1, 2]),
      }));
      return [...dy.dataSync()].reduce((sum, value, i) => sum + value * y[start + i]!, 0);
    };
    const numeric = rows.x.map((_, i) => {
      const at = (offset: number) => loss(rows.x.map((value, j) => (i === j ? value + offset : value)));
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    });
    expectClose(gradients, numeric, 1e-4);
  });

  test('leaks no tensors, in models and alone', async () => {
    const choice = { train: 'shared', population: 'per-domain', affine: 'per-domain' } as const;
    const { layer, model } = listModel(choice);
    const xs = levels();
    await expectNoLeaks(tf, () => {
      for (const training of [true, false]) {
        tf.dispose(model.apply(xs, { training }) as tf.Tensor[]);
        tf.dispose(layer.apply(xs, { training }) as tf.Tensor[]);
      }
      tf.dispose(model.predict(xs));
    });
  });

  test('the same list twice is computed anew when a weight has changed', () => {
    const layer = head({ train: 'shared', population: 'shared', affine: 'shared' });
    const xs = levels();
    tf.tidy(() => {
      const before = flat(layer.apply(xs) as tf.Tensor[]);
      expect(flat(layer.apply(xs) as tf.Tensor[])).toEqual(before);
      layer.layers[0]!.movingMean.write(tf.fill([CHANNELS], 5));
      expect(flat(layer.apply(xs) as tf.Tensor[])).not.toEqual(before);
    });
  });

  test.each(COMBINATIONS)(
    'train $train, population $population: PreciseBN measures as it trains',
    async (choice) => {
      const { layer, model } = listModel({ ...choice, affine: 'shared' });
      const batches = [levels(1), levels(11)];
      const report = await recalibrate(model, batches as never);
      const rows = batches.map(asRows);
      const both = { ...rows[0]!, x: rows.flatMap(({ x }) => x), ids: rows.flatMap(({ ids }) => ids) };
      const after = weightsByName(layer);
      for (const level of choice.population === 'shared' ? [0] : [0, 1, 2]) {
        const own = momentsOfDomains(both, choice.population === 'shared' ? [0, 1, 2] : [level]);
        expectClose(variablesOf(after, level, choice).mean, own.mean, 1e-5);
        expectClose(variablesOf(after, level, choice).variance, own.variance, 1e-5);
      }
      expect(report.layers.map(({ applications }) => applications.length)).toEqual(
        choice.population === 'shared' ? [3] : [1, 1, 1],
      );
    },
  );
});

test('PreciseBN normalizes by the joint moments where training does', async () => {
  const layer = head({ train: 'shared', population: 'per-domain', affine: 'shared' });
  const list = inputs();
  const next = domainBatchNormalization({ domains: LEVELS, from: 'application', name: 'next' });
  const normalized = layer.apply(list) as tfl.SymbolicTensor[];
  const model = tfl.model({ inputs: list, outputs: next.apply(normalized) as tfl.SymbolicTensor[] });
  const xs = levels();
  await recalibrate(model, [xs] as never, { mode: 'batch' });
  const rows = asRows(xs);
  const joint = momentsOfDomains(rows, [0, 1, 2]);
  const unit = { gamma: Array(CHANNELS).fill(1), beta: Array(CHANNELS).fill(0) };
  const y = normalizeByDomain(rows, () => ({ ...joint, ...unit }));
  const after = weightsByName(next);
  const own = momentsOfDomains({ ...rows, x: y }, [1]);
  expectClose(after['next/domain_1/moving_mean']!, own.mean, 1e-4);
  expectClose(after['next/domain_1/moving_variance']!, own.variance, 1e-4);
});

const PLAIN = { train: 'per-domain', population: 'per-domain', affine: 'shared' } as const;

test('too many applications are refused where the model is built', () => {
  const layer = head(PLAIN);
  const list = inputs();
  for (const input of list) layer.apply(input);
  expect(() => layer.apply(list[0]!)).toThrow(DomainLayerError);
  expect(() => layer.apply(list[0]!)).toThrow(
    "Layer 'head': expected one application for each of its 3 domains (p3, p4, p5), got one more.",
  );
  expect(() => layer.apply(list)).toThrow(
    'expected either lists with a tensor per domain or single applications',
  );
});

test('a list of another length is refused where the model is built', () => {
  const layer = head(PLAIN);
  const list = inputs();
  expect(() => layer.apply(list.slice(1))).toThrow(
    "Layer 'head': expected a list with one tensor for each of its 3 domains (p3, p4, p5), got 2 tensors.",
  );
  layer.apply(list);
  expect(() => layer.apply(list[0]!)).toThrow('got both');
});

test('too few applications do not run: nothing is cycled through silently', () => {
  const layer = head(PLAIN);
  const [input] = inputs();
  const inner = tfl.model({ inputs: input!, outputs: layer.apply(input!) as tfl.SymbolicTensor });
  // As a head would be shared: the model around the layer is applied three times, the layer itself once.
  const list = SIDES.map(() => tfl.input({ shape: [4, 4, CHANNELS] }));
  const shared = tfl.model({ inputs: list, outputs: list.map((x) => inner.apply(x) as tfl.SymbolicTensor) });
  const xs = SIDES.map((_, i) => randomTensor([2, 4, 4, CHANNELS], i));
  expect(() => shared.predict(xs)).toThrow('but was not for p4, p5');
  expect(() => layer.apply(xs[0]!)).toThrow(DomainLayerError);
});
