import { convert, freezeBatchNorm } from '@rebatch/layers';
import { withStatistics } from '@rebatch/models';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { inspect } from './inspect.ts';
import { weightsOf } from './network.test.support.ts';
import type { InspectionReport } from './report.ts';

const [SIDE, CLASSES, SIZE, BATCHES] = [8, 3, 16, 14];

function buildCnn(): tfl.Sequential {
  const initializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
  const model = tfl.sequential();
  for (const [depth, filters] of [5, 6, 7].entries()) {
    model.add(
      tfl.layers.conv2d({
        filters,
        kernelSize: 3,
        padding: 'same',
        kernelInitializer: initializer(depth + 1),
        ...(depth === 0 ? { inputShape: [SIDE, SIDE, 2] } : {}),
      }),
    );
    model.add(tfl.layers.batchNormalization({ name: `bn${depth}` }));
    model.add(tfl.layers.reLU());
  }
  model.add(tfl.layers.dropout({ rate: 0.5 }));
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: CLASSES, activation: 'softmax', kernelInitializer: initializer(4) }));
  return model;
}

function makeData() {
  const random = seededRandom(8);
  return Array.from({ length: BATCHES }, () => ({
    xs: tf.tensor4d(random.normals(SIZE * SIDE * SIDE * 2, 1, 2), [SIZE, SIDE, SIDE, 2]),
    ys: tf.tensor1d(
      Array.from({ length: SIZE }, () => random.integer(0, CLASSES - 1)),
      'int32',
    ),
  }));
}

async function reportOn(backend: string, prepare: (model: tfl.Sequential) => unknown = () => {}) {
  await tf.setBackend(backend);
  let report: InspectionReport | undefined;
  await expectNoLeaks(tf, async () => {
    const [model, data] = [buildCnn(), makeData()];
    prepare(model);
    const before = weightsOf(model);
    report = await inspect(model, data);
    expect(weightsOf(model)).toEqual(before);
    tf.dispose(data);
    model.dispose();
  });
  return report!;
}

const valuesOf = ({ layers }: InspectionReport) =>
  layers.flatMap(({ shift, noise, estimationShift, layerwiseShift }) => [
    ...[shift!, layerwiseShift!].flatMap((of) => [of.mean.rms, of.variance.rms, of.standardErrors.mean]),
    shift!.cumulativeKL,
    noise!.mean,
    noise!.variance,
    estimationShift!.standardErrors.variance,
  ]);

test('a CNN gives the same report on WASM and on cpu, stock, converted or frozen, and nothing is left behind', async () => {
  const expected = await reportOn('cpu');
  expect(expected.layers.map(({ valuesPerBatch }) => valuesPerBatch)).toEqual(
    Array(3).fill(SIZE * SIDE * SIDE),
  );
  for (const report of [
    await reportOn('wasm'),
    await reportOn('wasm', convert),
    // Whatever its layers are set to use, a model is inspected under the statistics that it has.
    await reportOn('wasm', (model) => freezeBatchNorm(convert(model))),
  ]) {
    expectClose(valuesOf(report), valuesOf(expected), 1e-3);
    expect(report.advice.map(({ advice }) => advice)).toEqual(expected.advice.map(({ advice }) => advice));
    expectClose([report.errors!.stored.error], [expected.errors!.stored.error], 0.05);
  }
});

test('works within a scope of other statistics, which it leaves in force', async () => {
  await tf.setBackend('cpu');
  const [model, data] = [convert(buildCnn()), makeData()];
  const alone = await inspect(model, data);
  const x = data[0]!.xs;
  const predict = () => [...(model.predictOnBatch(x) as tf.Tensor).dataSync()];
  const usual = predict();
  await withStatistics(model, 'batch', async () => {
    const inBatch = predict();
    expect(inBatch).not.toEqual(usual);
    expect(valuesOf(await inspect(model, data))).toEqual(valuesOf(alone));
    expect(predict()).toEqual(inBatch);
  });
  expect(predict()).toEqual(usual);
  tf.dispose(data);
  model.dispose();
});
