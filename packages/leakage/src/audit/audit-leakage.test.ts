import { freezeBatchNorm } from '@rebatch/layers';
import { DisposedTensorError, InputShapeError } from '@rebatch/models';
import { weightValues } from '@rebatch/test-models';
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { AuditError, auditLeakage, formatLeakage } from '../index.ts';
import { GROUP_SIZE, tensorsOf, tinyData, trainTiny } from './tiny-model.test.support.ts';

beforeAll(async () => {
  await tf.setBackend('wasm');
});

const SEEDS = 50;

/** The p-values of audits of as many models, one list per way to group their samples. */
async function audits(
  batches: 'class-grouped' | 'iid',
  ...groupings: ((labels: number[], seed: number) => number[])[]
): Promise<number[][]> {
  const pValues: number[][] = groupings.map(() => []);
  for (let seed = 1; seed <= SEEDS; seed++) {
    const model = trainTiny(tinyData(seededRandom(seed), 512), seed, batches);
    const fresh = tinyData(seededRandom(1000 + seed), 256);
    const batch = tensorsOf(fresh);
    for (const [i, groupOf] of groupings.entries()) {
      const options = { groupOf: groupOf(fresh.labels, seed), permutations: 19, level: 0.05, seed };
      const report = await auditLeakage(model, batch, options);
      expect(report.leaks).toBe(report.pValue <= 0.05);
      pValues[i]!.push(report.pValue);
    }
    tf.dispose([batch.xs, batch.ys]);
    model.dispose();
  }
  return pValues;
}

/** More false alarms than this have a chance below one in a thousand at a rate of 5%: binomial, 50 trials. */
const MOST_FALSE_ALARMS = 8;

test('50 models trained on class-grouped batches are flagged', { timeout: 300_000 }, async () => {
  const [pValues] = await audits('class-grouped', (labels) => labels);
  expect(pValues!.filter((p) => p <= 0.05).length).toBe(SEEDS);
});

test('50 models trained on iid batches are not, at the stated level', { timeout: 300_000 }, async () => {
  const [byLabel, byNothing] = await audits(
    'iid',
    (labels) => labels,
    (labels, seed) => {
      const random = seededRandom(77 * seed);
      return labels.map(() => random.integer(0, 1));
    },
  );
  expect(byLabel!.filter((p) => p <= 0.05).length).toBeLessThanOrEqual(MOST_FALSE_ALARMS);
  // Groups that mean nothing give p-values as even as chance: half of them are below a half, with a deviation of 3.5.
  expect(byNothing!.filter((p) => p <= 0.05).length).toBeLessThanOrEqual(MOST_FALSE_ALARMS);
  expect(Math.abs(byNothing!.filter((p) => p <= 0.5).length - 25)).toBeLessThanOrEqual(12);
});

test('models that know nothing are not, though their mistakes may be normalized away', async () => {
  const pValues: number[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const data = tinyData(seededRandom(seed), 256);
    const model = trainTiny(data, seed, 'iid', 0);
    const batch = tensorsOf(data);
    const options = { groupOf: data.labels, permutations: 19, level: 0.05, seed };
    pValues.push((await auditLeakage(model, batch, options)).pValue);
    tf.dispose([batch.xs, batch.ys]);
    model.dispose();
  }
  expect(pValues.filter((p) => p <= 0.05).length).toBeLessThanOrEqual(MOST_FALSE_ALARMS);
});

/** A model that was trained on class-grouped batches, and data. */
function leaky(seed = 3) {
  const data = tinyData(seededRandom(seed), 256);
  return { model: trainTiny(data, seed, 'class-grouped'), data };
}

test('the report: losses against plain loops, attribution, advice', async () => {
  const { model, data } = leaky();
  const { xs, ys } = tensorsOf(data);
  const before = weightValues(model);
  const report = await auditLeakage(model, { xs, ys }, { groupOf: data.labels });
  expect(weightValues(model)).toEqual(before);
  expect(report).toMatchObject({ samples: 256, leftOut: 0, groups: 2, groupSize: GROUP_SIZE, leaks: true });
  expect(report.pValue).toBe(0.01);
  expect(report.effect).toBeCloseTo(report.loss.strangers.mean - report.loss.own, 10);
  expect(report.loss.own).toBeLessThan(report.loss.strangers.mean - 5 * report.loss.strangers.deviation);

  // By population statistics, the model is a function of each sample.
  const outputs = (model.predict(xs) as tf.Tensor).dataSync();
  const losses = data.labels.map((label, i) => -Math.log(outputs[2 * i + label]!));
  expect(report.loss.population).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 256, 5);

  expect(report.layers.map(({ name }) => name)).toEqual([model.layers[0]!.name, model.layers[3]!.name]);
  expect(report.layers.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
  expect(report.advice.join(' ')).toContain("assign: 'strided'");
  expect(formatLeakage(report)).toContain('LEAK: 256 samples of 2 groups, in normalization batches of 32');
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('the same seed gives the same report, and data in batches the same as at once', async () => {
  const { model, data } = leaky();
  const whole = tensorsOf(data);
  const rows = (start: number, end: number) =>
    tensorsOf(data, data.labels.map((_, i) => i).slice(start, end));
  const options = { groupOf: (sample: number) => data.labels[sample]!, permutations: 99, seed: 5 };
  const report = await auditLeakage(model, whole, options);
  const parts = [rows(0, 100), rows(100, 256)];
  expect(await auditLeakage(model, parts, options)).toEqual(report);
  async function* stream() {
    yield rows(0, 30);
    yield rows(30, 256);
  }
  expect(await auditLeakage(model, stream(), options)).toEqual(report);
  expect(parts[0]!.xs.isDisposed).toBe(false);
});

test('a layer that leaks nothing has no share', async () => {
  const { model, data } = leaky();
  const input = tfl.input({ shape: [6] });
  const idle = tfl.layers.batchNormalization({ name: 'idle' }).apply(input);
  const nothing = tfl.layers.dense({ units: 2, useBias: false, kernelInitializer: 'zeros' }).apply(idle);
  const outputs = tfl.layers.add().apply([model.apply(input), nothing] as tfl.SymbolicTensor[]);
  const whole = tfl.model({ inputs: input, outputs: outputs as tfl.SymbolicTensor });
  whole.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  const report = await auditLeakage(whole, tensorsOf(data), { groupOf: data.labels, groupSize: GROUP_SIZE });
  expect(report.leaks).toBe(true);
  expect(report.layers).toHaveLength(3);
  for (const { name, share } of report.layers) {
    if (name === 'idle') expect(share).toBeLessThan(1e-5);
    else expect(share).toBeGreaterThan(0.1);
  }
});

test('a model that cannot see its batch has the highest p-value', async () => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.batchNormalization({ gammaInitializer: 'zeros', inputShape: [6] }),
      tfl.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  const data = tinyData(seededRandom(1), 64);
  const report = await auditLeakage(model, tensorsOf(data), { groupOf: data.labels });
  expect([report.pValue, report.leaks]).toEqual([1, false]);
});

test('the loss of a compiled model, however it was given', async () => {
  const { model, data } = leaky();
  const batch = tensorsOf(data);
  const options = { groupOf: data.labels, permutations: 99 };
  const expected = await auditLeakage(model, batch, options);
  for (const loss of [['categoricalCrossentropy'], { [model.outputNames[0]!]: 'categoricalCrossentropy' }]) {
    model.loss = loss;
    expect(await auditLeakage(model, batch, options)).toEqual(expected);
  }
  model.loss = 'sparseCategoricalCrossentropy';
  for (const shape of [[256], [256, 1]]) {
    const sparse = { xs: batch.xs, ys: tf.tensor(data.labels, shape) };
    expect(await auditLeakage(model, sparse, options)).toEqual(expected);
  }
});

/** The leaky model with one output, the share of the second class, and labels for it in a row: [256]. */
function leakyColumn(loss: string) {
  const { model: inner, data } = leaky();
  const input = tfl.input({ shape: [6] });
  const second = tfl.layers.dense({ units: 1, useBias: false, weights: [tf.tensor2d([[0], [1]])] });
  const outputs = second.apply(inner.apply(input)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs });
  model.compile({ optimizer: 'sgd', loss });
  return { model, data, xs: tensorsOf(data).xs, ys: tf.tensor1d(data.labels) };
}

test.each<[string, (output: number, label: number) => number]>([
  ['meanSquaredError', (output, label) => (output - label) ** 2],
  ['meanAbsoluteError', (output, label) => Math.abs(output - label)],
  ['binaryCrossentropy', (output, label) => -Math.log(label === 1 ? output : 1 - output)],
])('labels in a row are a column for outputs that are one, as in training: %s', async (name, lossOf) => {
  const { model, data, xs, ys } = leakyColumn(name);
  const options = { groupOf: data.labels, groupSize: GROUP_SIZE, permutations: 99 };
  const report = await auditLeakage(model, { xs, ys }, options);
  const outputs = (model.predict(xs) as tf.Tensor).dataSync();
  const losses = data.labels.map((label, i) => lossOf(outputs[i]!, label));
  expect(report.loss.population).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 256, 5);
  expect(report.loss.population).toBeCloseTo((model.evaluate(xs, ys) as tf.Scalar).dataSync()[0]!, 5);
  expect(report.leaks).toBe(true);
  expect(await auditLeakage(model, { xs, ys: tf.expandDims(ys, 1) }, options)).toEqual(report);
});

test('a loss of your own gets the labels as they came, but a column for outputs that are one', async () => {
  const { model, data, xs, ys } = leakyColumn('meanSquaredError');
  const options = { groupOf: data.labels, groupSize: GROUP_SIZE, permutations: 99 };
  const report = await auditLeakage(model, { xs, ys: tf.expandDims(ys, 1) }, options);
  const squared = (labels: tf.Tensor, outputs: tf.Tensor) => tf.squaredDifference(outputs, labels);
  expect(await auditLeakage(model, { xs, ys }, { ...options, loss: squared })).toEqual(report);
  const { model: classes } = leaky();
  const shapes = new Set<string>();
  const byClass = (labels: tf.Tensor, outputs: tf.Tensor) => {
    shapes.add(`${labels.shape} ${outputs.shape}`);
    return tf.sum(tf.mul(tf.oneHot(tf.cast(labels, 'int32'), 2), tf.neg(outputs)), 1);
  };
  await auditLeakage(classes, { xs, ys }, { ...options, loss: byClass });
  expect([...shapes]).toEqual(['256 256,2']);
});

test('labels that do not have the shape of the outputs are refused', async () => {
  const { model, data } = leaky();
  const { xs } = tensorsOf(data);
  const refused: [string, number[]][] = [
    ...['meanSquaredError', 'meanAbsoluteError', 'binaryCrossentropy', 'categoricalCrossentropy'].flatMap(
      (loss): [string, number[]][] => [[256], [256, 1], [256, 3], [256, 1, 2]].map((shape) => [loss, shape]),
    ),
    ['sparseCategoricalCrossentropy', [256, 2]],
    ['sparseCategoricalCrossentropy', [256, 1, 1]],
  ];
  for (const [loss, shape] of refused) {
    model.loss = loss;
    const audit = auditLeakage(model, { xs, ys: tf.zeros(shape) }, { groupOf: data.labels });
    await expect(audit).rejects.toThrow(AuditError);
    await expect(audit).rejects.toThrow(`got [${shape}]. `);
  }
});

test('a stock model and a frozen one are looked at, too', async () => {
  const { model, data } = leaky();
  const batch = tensorsOf(data);
  const report = await auditLeakage(model, batch, { groupOf: data.labels });
  freezeBatchNorm(model);
  expect(await auditLeakage(model, batch, { groupOf: data.labels, groupSize: GROUP_SIZE })).toEqual(report);
  const stock = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 3, inputShape: [6] }),
      tfl.layers.batchNormalization(),
      tfl.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  stock.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  const fresh = await auditLeakage(stock, batch, { groupOf: data.labels, permutations: 99 });
  expect(fresh.groupSize).toBe(16);
});

test('leaves no tensors behind, and stops when it is told to', async () => {
  const { model, data } = leaky();
  const batch = tensorsOf(data);
  const options = { groupOf: data.labels, permutations: 99 };
  await expectNoLeaks(tf, () => auditLeakage(model, batch, options));
  await expectNoLeaks(tf, async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const run = auditLeakage(model, batch, {
      ...options,
      signal: stop.signal,
      onProgress: ({ done, total }) => {
        seen.push(done);
        expect(total).toBe(101);
        if (done === 3) stop.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
    expect(seen).toEqual([1, 2, 3]);
  });
});

test('what cannot be audited is refused', async () => {
  const { model, data } = leaky();
  const batch = tensorsOf(data);
  const audit = (options: object, on: tfl.LayersModel = model, samples: unknown = batch) =>
    auditLeakage(on, samples as never, { groupOf: data.labels, ...options });
  const refusals: [Promise<unknown>, string][] = [
    [audit({ groupSize: 200 }), 'at least two groups of 200 samples or more, got 0 among 256'],
    [audit({ groupOf: () => 'all' }), 'got 1 among 256 samples in 1 groups'],
    [audit({ groupOf: [1, 2] }), 'the group of each of 256 samples, got 2'],
    [audit({ groupSize: 1 }), 'auditLeakage: expected option groupSize to be an integer >= 2, got 1'],
    [audit({ seed: '1' }), 'expected option seed to be an integer, got "1"'],
    [audit({ signal: {} }), 'expected option signal to be an AbortSignal'],
    [audit({ permutation: 9 }), 'Did you mean permutations?'],
    [audit({ level: 1 }), 'expected option level to be a finite number > 0 and < 1, got 1'],
    [audit({ permutations: 19 }), 'a level that 19 permutations can reach, got 0.01'],
    ...['groupSize', 'samples', 'permutations', 'level', 'seed'].flatMap((name) =>
      ['16', [16], true, null, Number.NaN, new Number(16)].map((value): [Promise<unknown>, string] => [
        audit({ [name]: value }),
        `auditLeakage: expected option ${name} to be a`,
      ]),
    ),
    [audit({ groupOf: null }), 'the group of each of 256 samples, got null'],
    [audit({ groupOf: Symbol('class') }), 'the group of each of 256 samples, got Symbol(class)'],
    [
      audit({ loss: 'mse' }),
      'expected option loss to be a function from labels and outputs to the loss of each',
    ],
    [audit({}, model, Object.create(null)), 'Expected data as {xs, ys}'],
    [audit({ loss: () => tf.zeros([3]) }), 'the loss of each of 256 samples, [256], got shape [3]'],
    [audit({}, model, []), 'at least one batch of samples, got none'],
    [audit({}, model, 5), 'Expected data as {xs, ys}'],
    [audit({}, model, [{ xs: 1, ys: 2 }]), 'one tensor each, got xs: 1, ys: 2.'],
    [audit({}, model, [{ inputs: 1 }]), 'one tensor each, got an object with inputs.'],
    [audit({ loss: () => 0 }), 'the loss of each of 256 samples, [256], got 0.'],
    [audit({}, model, [{ xs: batch.xs, ys: tf.zeros([2]) }]), 'got shapes [256,6] and [2]'],
    [
      audit({}, tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [6] })] })),
      'has no batch norm',
    ],
  ];
  for (const [refused, message] of refusals) {
    await expect(refused).rejects.toThrow(AuditError);
    await expect(refused).rejects.toThrow(message);
  }
  model.loss = () => tf.scalar(0);
  await expect(audit({})).rejects.toThrow('got the loss of type function. Pass option loss');
  model.loss = 'cosineProximity';
  await expect(audit({})).rejects.toThrow('got the loss cosineProximity. Pass option loss');
});

test('batches and models that do not fit are refused by what is wrong with them', async () => {
  const { model, data } = leaky();
  const { xs, ys } = tensorsOf(data);
  const audit = (samples: unknown, on: tfl.LayersModel = model) =>
    auditLeakage(on, samples as never, { groupOf: data.labels });
  const gone = (like: tf.Tensor) => {
    const copy = tf.clone(like);
    copy.dispose();
    return copy;
  };
  const input = () => tfl.input({ shape: [6] });
  const [one, other] = [input(), input()];
  const joined = tfl.layers.batchNormalization().apply(tfl.layers.add().apply([one, other]));
  const two = tfl.model({ inputs: [one, other], outputs: joined as tfl.SymbolicTensor });
  const three = input();
  const normalized = tfl.layers.batchNormalization().apply(three) as tfl.SymbolicTensor;
  const twofold = tfl.model({ inputs: three, outputs: [normalized, normalized] });
  const anySize = tfl.sequential({
    layers: [
      tfl.layers.batchNormalization({ inputShape: [null, 6] as never }),
      tfl.layers.globalAveragePooling1d(),
      tfl.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  for (const compiled of [two, twofold, anySize]) {
    compiled.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  }
  const steps = (count: number) => ({ xs: tf.zeros([128, count, 6]), ys: tf.zeros([128, 2]) });
  const refusals: [Promise<unknown>, new (message: string) => Error, string][] = [
    [audit({ xs, ys }, two), AuditError, 'expected one input and one output, got 2 and 1.'],
    [audit({ xs, ys }, twofold), AuditError, 'expected one input and one output, got 1 and 2.'],
    [audit({ xs: gone(xs), ys }), DisposedTensorError, "Batch 0, input '"],
    [audit({ xs, ys: gone(ys) }), AuditError, 'Batch 0: the tensor of its ys is already disposed.'],
    [audit({ xs: tf.zeros([256, 5]), ys }), InputShapeError, 'expected shape [?, 6], got [256, 5].'],
    [
      audit([steps(3), steps(4)], anySize),
      AuditError,
      'Batch 1: expected xs to be float32 of shape [3,6] for each sample, as in batch 0, got float32 of shape [4,6].',
    ],
    [
      audit([
        { xs, ys },
        { xs, ys: tf.zeros([256, 3]) },
      ]),
      AuditError,
      'Batch 1: expected ys to be float32 of shape [2] for each sample, as in batch 0, got float32 of shape [3].',
    ],
    [
      audit([
        { xs, ys: tf.cast(ys, 'int32') },
        { xs, ys },
      ]),
      AuditError,
      'Batch 1: expected ys to be int32 of shape [2] for each sample, as in batch 0, got float32 of shape [2].',
    ],
  ];
  for (const [refused, kind, message] of refusals) {
    await expect(refused).rejects.toThrow(kind);
    await expect(refused).rejects.toThrow(message);
  }
});

test('sorted data of which the first samples are taken alone is told so', async () => {
  const { model } = leaky();
  const [samples, of] = [3000, 1500];
  const sorted = { xs: tf.zeros([samples, 6]), ys: tf.zeros([samples, 2]) };
  const groupOf = (sample: number) => Math.floor(sample / of);
  const cut =
    'Option samples takes the first 1024 of the data alone: raise it, or shuffle data that is sorted';
  await expect(auditLeakage(model, sorted, { groupOf })).rejects.toThrow(AuditError);
  await expect(auditLeakage(model, sorted, { groupOf })).rejects.toThrow(cut);
  const few = auditLeakage(model, tensorsOf(tinyData(seededRandom(1), 64)), { groupOf });
  await expect(few).rejects.toThrow(/got 1 among 64 samples in 1 groups\. .* smaller groupSize\.$/);
});
