// What passes keep of each other must not show in the result: random graphs, with all, some and none of it kept.
import { expectClose, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { estimateStatistics } from '../recalibrate.ts';
import { nodeSpec, randomModel } from './random-models.test.support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const random = seededRandom(11);
const bytes = (tensors: readonly tf.Tensor[]) => tensors.reduce((sum, { size }) => sum + 4 * size, 0);

const makeBatches = (sizes: readonly number[]) =>
  sizes.map((size) => tf.tensor2d(random.normals(4 * size, 0.5, 2), [size, 4]));

async function statisticsOf(model: tfl.LayersModel, batches: tf.Tensor[], activationBytes: number) {
  const { statistics, report } = await estimateStatistics(model, batches, {
    mode: 'layerwise',
    activationBytes,
    prior: 3,
  });
  return { values: statistics.flatMap(({ mean, variance }) => [...mean, ...variance]), report };
}

test('random graphs: the same statistics, whatever is kept, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(nodeSpec, { minLength: 1, maxLength: 7 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
      fc.nat(600),
      async (specs, sizes, few) => {
        const model = randomModel(specs, 1);
        const batches = makeBatches(sizes.map((size, i) => (i === 0 ? size + 1 : size)));
        const before = tf.memory();
        const expected = await statisticsOf(model, batches, 0);
        for (const budget of [few, Number.POSITIVE_INFINITY]) {
          const { values, report } = await statisticsOf(model, batches, budget);
          expectClose(values, expected.values, 1e-6);
          expect(report.samples).toBe(expected.report.samples);
          expect(report.layers.map(({ values }) => values)).toEqual(
            expected.report.layers.map(({ values }) => values),
          );
        }
        expect(tf.memory()).toMatchObject({
          numTensors: before.numTensors,
          numDataBuffers: before.numDataBuffers,
          numBytes: before.numBytes,
        });
        tf.dispose(batches);
        model.dispose();
      },
    ),
    { numRuns: 40 },
  );
});

/** Conv, BN and ReLU, so many times. */
function chain(depth: number): tfl.Sequential {
  const model = tfl.sequential();
  for (let i = 0; i < depth; i++) {
    const kernelInitializer = tfl.initializers.randomNormal({ seed: i + 1 });
    model.add(
      tfl.layers.conv2d({
        filters: 3,
        kernelSize: 3,
        padding: 'same',
        kernelInitializer,
        ...(i === 0 && { inputShape: [6, 6, 2] }),
      }),
    );
    model.add(tfl.layers.batchNormalization());
    model.add(tfl.layers.reLU());
  }
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: 2 }));
  return model;
}

describe('what is computed', () => {
  const batches = () => [5, 4, 5].map((size) => tf.tensor4d(random.normals(72 * size), [size, 6, 6, 2]));

  /** How many samples went through convolutions. */
  async function convolved(model: tfl.LayersModel, data: tf.Tensor[], activationBytes: number) {
    const engine = tf.engine() as unknown as {
      runKernel(name: string, inputs: Record<string, tf.Tensor>, attributes?: object): tf.Tensor;
    };
    const own = engine.runKernel;
    let samples = 0;
    const spy = vi.spyOn(engine, 'runKernel').mockImplementation(function (
      this: unknown,
      ...args: Parameters<typeof own>
    ) {
      if (/Conv2D/.test(args[0])) samples += args[1].x!.shape[0]!;
      return own.apply(this, args);
    });
    try {
      const result = await statisticsOf(model, data, activationBytes);
      return { ...result, samples };
    } finally {
      spy.mockRestore();
    }
  }

  test('with everything kept each layer runs once for each sample, besides the three that are traced', async () => {
    const [model, data] = [chain(6), batches()];
    const traced = 3 * 6;
    const all = await convolved(model, data, Number.POSITIVE_INFINITY);
    expect(all.samples).toBe(traced + 14 * 6);
    const none = await convolved(model, data, 0);
    expect(none.samples).toBe(traced + 14 * (1 + 2 + 3 + 4 + 5 + 6));
    expectClose(all.values, none.values, 1e-6);
    expect([all, none].map(({ report }) => report.passes)).toEqual([6, 6]);
  });

  test('where a level does not fit, passes start from an earlier one', async () => {
    const [model, data] = [chain(4), batches()];
    // The values between levels take 14 * 36 * 3 * 4 = 6048 bytes; the pictures themselves are not kept.
    const kept = await convolved(model, data, 6048);
    expect(kept.samples).toBe(3 * 4 + 14 * 4);
    const none = await convolved(model, data, 6047);
    expect(none.samples).toBe(3 * 4 + 14 * (1 + 2 + 3 + 4));
    expectClose(kept.values, none.values, 1e-6);
  });

  test('one batch takes one forward', async () => {
    const [model, [x]] = [chain(5), batches()];
    const once = await convolved(model, [x!], 0);
    expect(once.samples).toBe(1 * 5 + 5 * 5);
    expect(once.report).toMatchObject({ passes: 1, samples: 5, batches: 1 });
    const halves = tf.split(x!, [2, 3]);
    const several = await convolved(model, halves, 0);
    expectClose(once.values, several.values, 1e-5);
  });
});

test('batches of other sizes of image are measured from the data', async () => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [null, null, 1] as never }),
      tfl.layers.batchNormalization(),
      tfl.layers.conv2d({ filters: 2, kernelSize: 3 }),
      tfl.layers.batchNormalization(),
    ],
  });
  const data = [8, 8, 10, 8].map((side) => tf.tensor4d(random.normals(2 * side * side), [2, side, side, 1]));
  const none = await statisticsOf(model, data, 0);
  const kept = await statisticsOf(model, data, Number.POSITIVE_INFINITY);
  expectClose(kept.values, none.values, 1e-6);
});

describe('a layer that reads on the way', () => {
  /** Its shape comes from an op whose result is read on the host, as in converted graphs; a factor from another. */
  class Turned extends tfl.layers.Layer {
    static readonly className = 'Turned';
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      const shape = tf.mul(tf.tensor1d(x.shape, 'int32'), tf.tensor1d([1, 1, 1, 1], 'int32'));
      return tf.mul(tf.reshape(x, [...shape.dataSync()]), tf.add(tf.ones([3]), 1));
    }
  }

  const model = () => {
    const conv = (seed: number) =>
      tfl.layers.conv2d({
        filters: 3,
        kernelSize: 3,
        padding: 'same',
        kernelInitializer: tfl.initializers.randomNormal({ seed }),
        ...(seed === 1 && { inputShape: [6, 6, 2] }),
      });
    const norm = () => tfl.layers.batchNormalization();
    return tfl.sequential({
      layers: [conv(1), norm(), new Turned({}), conv(2), norm(), new Turned({}), conv(3), norm()],
    });
  };

  test('constants are no reason to compute levels again', async () => {
    const data = [5, 4].map((size) => tf.tensor4d(random.normals(72 * size), [size, 6, 6, 2]));
    const none = await statisticsOf(model(), data, 0);
    const kept = await statisticsOf(model(), data, 1e9);
    expectClose(kept.values, none.values, 1e-6);
    expect(kept.report.passes).toBe(3);
    const once = await statisticsOf(model(), [tf.concat(data)], 0);
    expect(once.report.passes).toBe(1);
    expectClose(once.values, none.values, 1e-5);
  });
});

test('a layer that reads its values on the way is run as a whole', async () => {
  class Halved extends tfl.layers.Layer {
    static readonly className = 'Halved';
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      return tf.tensor(
        x.dataSync().map((value) => value / 2),
        x.shape,
      );
    }
  }
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 3, inputShape: [4] }),
      tfl.layers.batchNormalization(),
      new Halved({}),
      tfl.layers.batchNormalization(),
    ],
  });
  const data = makeBatches([4, 5]);
  const [none, kept] = [await statisticsOf(model, data, 0), await statisticsOf(model, data, 1e9)];
  expect(kept.values).toEqual(none.values);
});

test('an abort between passes leaves nothing', async () => {
  const [model, data] = [chain(4), [3, 3].map((size) => tf.zeros([size, 6, 6, 2]))];
  const { numTensors } = tf.memory();
  const aborter = new AbortController();
  const running = estimateStatistics(model, data, {
    mode: 'layerwise',
    signal: aborter.signal,
    onProgress: ({ pass }) => {
      if (pass === 3) aborter.abort(new Error('enough'));
    },
  });
  await expect(running).rejects.toThrow('enough');
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(bytes(data)).toBe(2 * 3 * 72 * 4);
});
