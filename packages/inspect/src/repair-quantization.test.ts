// Statistics of 8 bits repaired by data: within half a step, closer to what they were, and all or nothing.
import { applyStatistics, captureStatistics, InputShapeError } from '@rebatch/models';
import { onEachBackend } from '@rebatch/test-models';
import { expectNoLeaks, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { findGrid, gridsIn, type QuantizedSpec } from './faults/grid.ts';
import { InspectionOptionError, NotQuantizedError, repairQuantization } from './index.ts';
import {
  makeModel,
  makeNetwork,
  type Network,
  run,
  type Statistics,
  weightsOf,
} from './network.test.support.ts';

const WIDTHS = [6, 12, 12, 3];
const SAMPLES = 400;

interface Case {
  readonly network: Network;
  readonly exact: readonly Statistics[];
  readonly stored: readonly Statistics[];
  readonly steps: readonly { readonly mean: number; readonly variance: number }[];
  readonly inputs: Float32Array;
}

/** Statistics of the very inputs, rounded to 256 levels. */
function makeCase(seed: number): Case {
  const random = seededRandom(seed);
  const network = makeNetwork(random, WIDTHS);
  network.kernels.slice(0, -1).forEach((kernel, layer) => {
    const scales = random.normals(WIDTHS[layer + 1]!, 0, 1.8).map(Math.exp);
    kernel.forEach((value, at) => {
      kernel[at] = value * scales[at % scales.length]!;
    });
  });
  const inputs = random.normals(SAMPLES * 6, 0.3);
  const exact = run(network, inputs).seen;
  const stepOf = (values: Float64Array) => (Math.max(...values) - Math.min(...values)) / 255;
  const rounded = (values: Float64Array) => {
    const [least, step] = [Math.min(...values), stepOf(values)];
    return values.map((value) => Math.fround(least + step * Math.round((value - least) / step)));
  };
  const stored = exact.map(({ mean, variance }) => ({ mean: rounded(mean), variance: rounded(variance) }));
  const steps = exact.map(({ mean, variance }) => ({ mean: stepOf(mean), variance: stepOf(variance) }));
  return { network, exact, stored, steps, inputs };
}

const tensorOf = (inputs: Float32Array) => tf.tensor2d(inputs, [inputs.length / 6, 6]);

onEachBackend(() => {
  test('each statistic within half a step, and what the data gives where that is within it', async () => {
    for (const seed of [1, 2, 3]) {
      const { network, exact, stored, steps, inputs } = makeCase(seed);
      const model = makeModel(network, stored);
      const x = tensorOf(inputs);
      const rounded = await captureStatistics(model);
      await expectNoLeaks(tf, async () => {
        applyStatistics(model, rounded);
        const report = await repairQuantization(model, x);
        expect(report.samples).toBe(SAMPLES);
        expect(report.layers.map(({ name, dtype }) => [name, dtype])).toEqual([
          ['bn0', 'uint8'],
          ['bn1', 'uint8'],
        ]);
        expect(report.layers[0]!.moved).toBeGreaterThan(6);
        expect(JSON.parse(JSON.stringify(report))).toEqual(report);
      });
      for (const [l, repaired] of (await captureStatistics(model)).entries()) {
        for (const of of ['mean', 'variance'] as const) {
          const step = steps[l]![of];
          exact[l]![of].forEach((value, c) => {
            const slack = 1e-5 * (Math.abs(value) + step);
            expect(Math.abs(repaired[of][c]! - stored[l]![of][c]!)).toBeLessThanOrEqual(step / 2 + slack);
            // The first layer sees exactly the inputs that its statistics are of.
            if (l === 0) expect(Math.abs(repaired[of][c]! - value)).toBeLessThanOrEqual(slack + 1e-4);
          });
        }
      }
      x.dispose();
      model.dispose();
    }
  });

  test('other data moves nothing further than rounding may have', async () => {
    const { network, stored, steps, inputs } = makeCase(4);
    const model = makeModel(network, stored);
    const x = tensorOf(inputs.map((value) => 3 * value + 2));
    await repairQuantization(model, tf.split(x, 4));
    for (const [l, { mean, variance }] of (await captureStatistics(model)).entries()) {
      stored[l]!.mean.forEach((value, c) => {
        expect(Math.abs(mean[c]! - value)).toBeLessThanOrEqual(steps[l]!.mean * 0.50001);
        expect(Math.abs(variance[c]! - stored[l]!.variance[c]!)).toBeLessThanOrEqual(
          steps[l]!.variance * 0.50001,
        );
        expect(variance[c]).toBeGreaterThanOrEqual(0);
      });
    }
  });
});

describe('weight specs: each layer has the grid that they name for it', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  const STEPS = [0.5, 0.002];

  /** Statistics on two grids, of layers whose names a manifest could take for each other's. */
  async function repaired(names: readonly [string, string], specNames = names) {
    const random = seededRandom(11);
    const kernels = [24, 64].map((size) => random.normals(size));
    const part = (at: number, inputs: number) => [
      tfl.layers.dense({ units: 8, useBias: false, inputShape: [inputs], name: `dense${at}` }),
      tfl.layers.batchNormalization({ name: names[at]!, scale: false, center: false }),
    ];
    // The same name twice is only possible in models of their own.
    const model = tfl.sequential({
      layers: [tfl.sequential({ layers: part(0, 3) }), tfl.sequential({ layers: part(1, 8) })],
    });
    const stored = STEPS.map((step) => ({
      mean: Array.from({ length: 8 }, () => step * Math.floor(8 * random.uniform())),
      variance: Array.from({ length: 8 }, () => step * (1 + Math.floor(200 * random.uniform()))),
    }));
    model.setWeights([
      tf.tensor2d(kernels[0]!, [3, 8]),
      tf.tensor2d(kernels[1]!, [8, 8]),
      ...stored.flatMap(({ mean, variance }) => [tf.tensor1d(mean), tf.tensor1d(variance)]),
    ]);
    const weightSpecs = specNames.flatMap((name, at) =>
      ['moving_mean', 'moving_variance'].map((weight) => ({
        name: `${name}/${weight}`,
        quantization: { dtype: 'uint8', min: 0, scale: STEPS[at]! },
      })),
    );
    await repairQuantization(model, tf.tensor2d(random.normals(3 * 200, 1, 3), [200, 3]), { weightSpecs });
    return { stored, found: await captureStatistics(model) };
  }

  test.each([
    ['a name that ends with that of a later layer', ['a/bn', 'bn'], ['a/bn', 'bn']],
    ['the same after a model name', ['a/bn', 'bn'], ['net/a/bn', 'net/bn']],
    ['one name twice, in two models', ['bn', 'bn'], ['bn', 'bn']],
    ['one name twice, with the names of the models', ['bn', 'bn'], ['first/bn', 'second/bn']],
    ['one name twice, one of them with the name of its model', ['bn', 'bn'], ['first/bn', 'bn']],
  ] as const)('%s', async (_, names, specNames) => {
    const { stored, found } = await repaired(names, specNames);
    for (const [l, { mean, variance }] of stored.entries()) {
      const half = STEPS[l]! / 2;
      for (let c = 0; c < 8; c++) {
        const slack = 1e-5 * (mean[c]! + variance[c]! + half);
        expect(Math.abs(found[l]!.mean[c]! - mean[c]!)).toBeLessThanOrEqual(half + slack);
        expect(Math.abs(found[l]!.variance[c]! - variance[c]!)).toBeLessThanOrEqual(half + slack);
      }
      // Each went as far as its own grid allows somewhere, not as another's.
      const moves = mean.map((value, c) => Math.abs(found[l]!.mean[c]! - value));
      expect(Math.max(...moves) / half).toBeCloseTo(1, 3);
    }
  });

  const spec = (name: string, scale: number): QuantizedSpec => ({
    name: `${name}/moving_mean`,
    quantization: { dtype: 'uint8', scale, min: 0 },
  });
  const stepsOf = (specs: readonly QuantizedSpec[], sites: readonly string[]) =>
    gridsIn(specs, sites, 'moving_mean').map((grid) => grid?.step);

  test('whatever the order of the manifest', () => {
    expect(stepsOf([spec('bn', 2), spec('a/bn', 1)], ['a/bn', 'bn'])).toEqual([1, 2]);
    expect(stepsOf([spec('m/a/bn', 1), spec('bn', 2)], ['bn', 'a/bn'])).toEqual([2, 1]);
    expect(stepsOf([spec('x/bn', 1), spec('bn', 2)], ['bn'])).toEqual([2]);
  });

  test('a layer that they leave out, or leave open, has none', () => {
    expect(stepsOf([spec('a/bn', 1)], ['a/bn', 'bn'])).toEqual([1, undefined]);
    expect(stepsOf([spec('bn', 1)], ['bn', 'bn'])).toEqual([undefined, undefined]);
    expect(stepsOf([spec('x/bn', 1), spec('y/bn', 2)], ['bn'])).toEqual([undefined]);
    expect(stepsOf([spec('another_bn', 1), spec('bn/x', 1)], ['bn'])).toEqual([undefined]);
    // A float32 entry is one, too.
    expect(stepsOf([spec('bn', 1), { name: 'bn/moving_mean' }], ['bn', 'bn'])).toEqual([1, undefined]);
    expect(stepsOf([spec('x/bn', 3), spec('y/bn', 3)], ['bn'])).toEqual([3]);
  });
});

describe('what is refused, with the model as it was', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test('statistics that were not quantized', async () => {
    const { network, exact, inputs } = makeCase(5);
    const model = makeModel(network, exact);
    const before = weightsOf(model);
    const x = tensorOf(inputs);
    await expect(repairQuantization(model, x)).rejects.toThrow(NotQuantizedError);
    await expect(repairQuantization(model, x)).rejects.toThrow(
      "repairQuantization: expected statistics of model 'net' that were quantized to uint8 or uint16, got values that lie on no uniform grid. Pass weightSpecs",
    );
    await expect(repairQuantization(model, x, { weightSpecs: [{ name: 'else' }] })).rejects.toThrow(
      'got weight specs that name none',
    );
    expect(weightsOf(model)).toEqual(before);
  });

  test('options, data and an abort', async () => {
    const { network, stored, inputs } = makeCase(6);
    const model = makeModel(network, stored);
    const before = weightsOf(model);
    const x = tensorOf(inputs);
    const { numTensors } = tf.memory();
    const refused = async (options: object, message: string) => {
      await expect(repairQuantization(model, x, options)).rejects.toThrow(InspectionOptionError);
      await expect(repairQuantization(model, x, options)).rejects.toThrow(message);
    };
    await refused({ weightSpec: [] }, 'weightSpecs');
    await refused({ weightSpecs: 'uint8' }, 'expected option weightSpecs to be a list of weight specs');
    await refused({ samples: 'auto' }, "expected option samples to be an integer >= 1 or 'all'");
    await expect(repairQuantization(model, tf.zeros([2, 5]))).rejects.toThrow(InputShapeError);
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(repairQuantization(model, x, { signal })).rejects.toBe(reason);
    expect(weightsOf(model)).toEqual(before);
    expect(tf.memory().numTensors - numTensors).toBeLessThanOrEqual(1); // the one of other inputs
  });

  test('a failing forward', async () => {
    const { network, stored, inputs } = makeCase(7);
    const model = makeModel(network, stored);
    const before = weightsOf(model);
    const broken = tensorOf(inputs.map((value, i) => (i === 5 ? Number.NaN : value)));
    await expect(repairQuantization(model, broken)).rejects.toThrow(
      /'bn0'.* Look for NaN in the data and in the weights\.$/,
    );
    expect(weightsOf(model)).toEqual(before);
  });
});

describe('a grid in the values themselves', () => {
  const random = seededRandom(8);
  const onGrid = (least: number, step: number, levels: readonly number[]) =>
    levels.map((level) => Math.fround(least + step * level));

  test('is found wherever it lies, with its first and last level or one beside', () => {
    for (let i = 0; i < 200; i++) {
      const [least, step] = [random.normal(), Math.exp(random.normal()) * 1e-2];
      const levels = Array.from({ length: 8 }, () => Math.floor(random.uniform() * 256));
      const found = findGrid(onGrid(least, step, [i % 2, 254 + (i % 3 > 0 ? 1 : 0), ...levels]));
      expect(found?.dtype).toBe('uint8');
      expect(found!.step / step).toBeCloseTo(1, 2);
    }
  });

  test('is not seen in 10,000 lists of other values, nor in constant ones', () => {
    let alarms = 0;
    for (let i = 0; i < 10_000; i++) {
      const values = random.normals(4 + (i % 20), i % 3, 1).map(Math.fround);
      if (findGrid(i % 2 ? values : values.map(Math.exp))) alarms += 1;
    }
    expect(alarms).toBe(0);
    expect(findGrid([1, 1, 1])).toBeUndefined();
    expect(findGrid([0, 0, 1])).toBeUndefined();
    expect(findGrid([Number.NaN, 1, 2, 3])).toBeUndefined();
  });
});

test('stock layers as well as ours, of any rank', async () => {
  const random = seededRandom(9);
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 8, kernelSize: 1, inputShape: [4, 4, 2] }),
      tfl.layers.batchNormalization({ name: 'bn' }),
    ],
  });
  const variance = [0, 1, 2, 3, 50, 97, 200, 255].map((level) => level / 100);
  applyStatistics(model, [{ name: 'bn', mean: new Float32Array(8), variance }]);
  const x = tf.tensor4d(random.normals(10 * 32), [10, 4, 4, 2]);
  const report = await repairQuantization(model, x);
  expect(report.layers).toMatchObject([{ name: 'bn', dtype: 'uint8', zeros: 1 }]);
  const [repaired] = await captureStatistics(model);
  expect(repaired!.variance[0]).toBeCloseTo(0.005, 8);
  expect(Array.from(repaired!.mean)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});
