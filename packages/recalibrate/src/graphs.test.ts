// Models that are more than a chain of layers, each against its own computation by float64 loops.
import { convert } from '@rebatch/layers';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import {
  type Block,
  bnReluReference,
  cut,
  denseReference,
  EPSILON,
  exactReference,
  held,
  makeBlocks,
  makeSequential,
  momentsReference,
  preciseReference,
  setWeights,
  withBatches,
} from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { recalibrate } from './recalibrate.ts';

const WIDTH = 4;
const random = seededRandom(11);
const [a, b, c, d] = makeBlocks(random, [WIDTH, WIDTH, WIDTH, WIDTH, WIDTH]) as [Block, Block, Block, Block];
const data = random.normals(40 * WIDTH, 0.5, 1.5);
const batches = cut(data, WIDTH, 16);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Apply = (x: tfl.SymbolicTensor) => tfl.SymbolicTensor;

/** Dense, BN, relu as layers that can be applied many times. */
function layersOf(block: Block, name: string): Apply {
  const dense = tfl.layers.dense({ units: block.units, name: `dense_${name}` });
  const norm = tfl.layers.batchNormalization({ epsilon: EPSILON, name });
  return (x) => {
    const z = dense.apply(x) as tfl.SymbolicTensor;
    const y = norm.apply(z) as tfl.SymbolicTensor;
    if (norm.inboundNodes.length === 1) {
      setWeights(dense, [block.kernel, block.bias]);
      const { units } = block;
      const [mean, variance] = [new Float32Array(units).fill(2), new Float32Array(units).fill(5)];
      setWeights(norm, [block.gamma, block.beta, mean, variance]);
    }
    return tfl.layers.reLU().apply(y) as tfl.SymbolicTensor;
  };
}

function expectHeld(model: tfl.LayersModel, name: string, expected: ReturnType<typeof momentsReference>) {
  expectClose(held(model, name).mean, expected.mean, 1e-5, `mean of ${name}`);
  expectClose(held(model, name).variance, expected.variance, 1e-5, `variance of ${name}`);
}

const concat = (...arrays: ArrayLike<number>[]) =>
  Float64Array.from(arrays.flatMap((array) => Array.from(array)));

/** The moments of a layer's inputs over all its applications. */
const merged = (...inputs: ArrayLike<number>[]) => momentsReference(concat(...inputs), WIDTH);

test('branches share passes', async () => {
  const input = tfl.input({ shape: [WIDTH] });
  const left = layersOf(a, 'left')(input);
  const right = layersOf(b, 'right')(input);
  const sum = tfl.layers.add().apply([left, right]) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: layersOf(c, 'after')(sum) });
  const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode: 'layerwise' }));
  const [za, zb] = [denseReference(data, a), denseReference(data, b)];
  const [ya, yb] = [bnReluReference(za, a, merged(za)), bnReluReference(zb, b, merged(zb))];
  expectHeld(model, 'left', merged(za));
  expectHeld(model, 'right', merged(zb));
  expectHeld(
    model,
    'after',
    merged(
      denseReference(
        ya.map((value, i) => value + yb[i]!),
        c,
      ),
    ),
  );
  expect(report.passes).toBe(2);
  model.dispose();
});

describe('a head that is shared by two depths', () => {
  const build = () => {
    const input = tfl.input({ shape: [WIDTH] });
    const head = layersOf(b, 'head');
    const deep = layersOf(a, 'trunk')(input);
    const [shallowOut, deepOut] = [head(input), head(deep)];
    return tfl.model({ inputs: input, outputs: [layersOf(c, 'after')(shallowOut), deepOut] });
  };

  test('is measured at both before anything that follows it', async () => {
    const model = build();
    const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs, { mode: 'layerwise' }));
    const trunk = denseReference(data, a);
    const [shallow, deep] = [
      denseReference(data, b),
      denseReference(bnReluReference(trunk, a, merged(trunk)), b),
    ];
    expectHeld(model, 'trunk', merged(trunk));
    expectHeld(model, 'head', merged(shallow, deep));
    expectHeld(model, 'after', merged(denseReference(bnReluReference(shallow, b, merged(shallow, deep)), c)));
    expect(report.passes).toBe(3);
    const head = report.layers.find(({ name }) => name === 'head')!;
    expect(head).toMatchObject({ values: 80, passes: 1 });
    expect(head.applications).toMatchObject([
      { application: 0, values: 40, pass: 2 },
      { application: 1, values: 40, pass: 2 },
    ]);
    model.dispose();
  });

  test('normalizes each application by its own moments in mode batch', async () => {
    const model = build();
    const report = await withBatches(batches, WIDTH, (xs) => recalibrate(model, xs));
    const inputs: Float64Array[] = [];
    for (const batch of batches) {
      const trunk = denseReference(batch, a);
      inputs.push(denseReference(batch, b), denseReference(bnReluReference(trunk, a, merged(trunk)), b));
    }
    expectHeld(model, 'head', merged(...inputs));
    const head = report.layers.find(({ name }) => name === 'head')!;
    expect(head.applications.map(({ shift }) => shift!.mean.rms)).not.toEqual([
      head.shift!.mean.rms,
      head.shift!.mean.rms,
    ]);
    model.dispose();
  });
});

test('a layer that is applied to its own output is measured in turn, at any batch size', async () => {
  const input = tfl.input({ shape: [WIDTH] });
  const block = layersOf(a, 'again');
  const model = tfl.model({ inputs: input, outputs: layersOf(b, 'after')(block(block(input))) });
  const first = denseReference(data, a);
  const second = denseReference(bnReluReference(first, a, merged(first)), a);
  const both = merged(first, second);
  const again = denseReference(bnReluReference(first, a, both), a);
  const after = merged(denseReference(bnReluReference(again, a, both), b));
  for (const size of [1, 7, 64]) {
    const report = await withBatches(cut(data, WIDTH, size), WIDTH, (xs) =>
      recalibrate(model, xs, { mode: 'layerwise' }),
    );
    expectHeld(model, 'again', both);
    expectHeld(model, 'after', after);
    expect(report.passes).toBe(3);
    expect(report.layers[0]).toMatchObject({ name: 'again', passes: 2 });
  }
  model.dispose();
});

test('nested models, a model that is used twice, and what comes after it', async () => {
  const inner = makeSequential([a, b], 'inner_');
  const head = { ...c, inputs: 2, kernel: c.kernel.slice(0, 2 * WIDTH) };
  const inputs = [tfl.input({ shape: [WIDTH], name: 'one' }), tfl.input({ shape: [WIDTH], name: 'two' })];
  const towers = inputs.map((input) => inner.apply(input) as tfl.SymbolicTensor);
  const sum = tfl.layers.add().apply(towers) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs, outputs: layersOf(head, 'after')(sum) });
  const other = random.normals(data.length, -1, 1);
  const report = await withBatches(batches, WIDTH, (ones) =>
    withBatches(cut(other, WIDTH, 16), WIDTH, (twos) => {
      const named = ones.map((one, i) => ({ xs: { one, two: twos[i]! }, ys: null }));
      return recalibrate(model, named, { mode: 'layerwise' });
    }),
  );
  const z0 = [denseReference(data, a), denseReference(other, a)];
  const m0 = merged(...z0);
  const z1 = z0.map((z) => denseReference(bnReluReference(z, a, m0), b));
  const m1 = merged(...z1);
  expectHeld(inner, 'inner_bn0', m0);
  expectHeld(inner, 'inner_bn1', m1);
  const [kernel, bias] = inner.getLayer('inner_head').getWeights();
  const last: Block = {
    ...b,
    inputs: WIDTH,
    units: 2,
    kernel: kernel!.dataSync() as Float32Array,
    bias: bias!.dataSync() as Float32Array,
  };
  const outs = z1.map((z) => denseReference(bnReluReference(z, b, m1), last));
  expectHeld(
    model,
    'after',
    merged(
      denseReference(
        outs[0]!.map((value, i) => value + outs[1]![i]!),
        head,
      ),
    ),
  );
  expect(report.layers.map(({ name, applications }) => [name, applications.length])).toEqual([
    ['inner_bn0', 2],
    ['inner_bn1', 2],
    ['after', 1],
  ]);
  model.dispose();
});

test('TimeDistributed applies its layer once per time step, in one pass', async () => {
  const steps = 5;
  const inner = tfl.sequential({ name: 'step' });
  inner.add(tfl.layers.dense({ units: WIDTH, inputShape: [WIDTH], name: 'step_dense' }));
  inner.add(tfl.layers.batchNormalization({ epsilon: EPSILON, name: 'step_bn' }));
  const model = tfl.sequential();
  model.add(tfl.layers.timeDistributed({ layer: inner, inputShape: [steps, WIDTH] }));
  setWeights(inner.getLayer('step_dense'), [a.kernel, a.bias]);
  const xs = [0, 1].map((i) => tf.tensor3d(data.slice(i * 80, (i + 1) * 80), [4, steps, WIDTH]));
  const report = await recalibrate(model, xs, { mode: 'layerwise' });
  expectHeld(inner, 'step_bn', merged(denseReference(data.slice(0, 160), a)));
  expect(report.passes).toBe(1);
  expect(report.layers[0]!.applications.map(({ values }) => values)).toEqual([8, 8, 8, 8, 8]);
  tf.dispose(xs);
  model.dispose();
});

test('channels on axis 1, without gamma and beta', async () => {
  const model = tfl.sequential();
  model.add(
    tfl.layers.batchNormalization({
      axis: 1,
      center: false,
      scale: false,
      inputShape: [2, 3, 2],
      name: 'bn',
    }),
  );
  const x = tf.tensor4d(data.slice(0, 144), [12, 2, 3, 2]);
  const report = await recalibrate(model, x);
  const byChannel = [0, 1].map((channel) =>
    momentsReference(
      data.slice(0, 144).filter((_, i) => Math.floor(i / 6) % 2 === channel),
      1,
    ),
  );
  expectClose(
    held(model, 'bn').mean,
    byChannel.map(({ mean }) => mean[0]!),
    1e-5,
  );
  expectClose(
    held(model, 'bn').variance,
    byChannel.map(({ variance }) => variance[0]!),
    1e-5,
  );
  expect(report.layers[0]!.values).toBe(72);
  x.dispose();
  model.dispose();
});

describe.each(['batch', 'layerwise'] as const)("mode '%s'", (mode) => {
  test('converted models give what stock ones give', async () => {
    const chain = [a, b, d];
    const expected = mode === 'batch' ? preciseReference(batches, chain) : exactReference(data, chain);
    for (const model of [makeSequential(chain), convert(makeSequential(chain))]) {
      await withBatches(batches, WIDTH, (xs) => expectNoLeaks(tf, () => recalibrate(model, xs, { mode })));
      expected.forEach((moments, i) => {
        expectHeld(model, `bn${i}`, moments);
      });
      model.dispose();
    }
  });
});
