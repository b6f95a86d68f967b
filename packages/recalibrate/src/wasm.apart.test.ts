// A convolutional network on the WASM backend, composed ops replaced by kernels; the same laws must hold.
import '@rebatch/kernels-wasm';
import { convert } from '@rebatch/layers';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { setWeights } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { estimateStatistics, recalibrate } from './recalibrate.ts';

const SIZE = 8;
const IMAGES = 70;
const random = seededRandom(4);
const images = random.normals(IMAGES * SIZE * SIZE * 2, 0.3, 1);
const shapes = [
  [3, 3, 2, 5],
  [3, 3, 5, 5],
  [3, 3, 5, 3],
];
const kernels = shapes.map((shape) =>
  random.normals(
    shape.reduce((a, b) => a * b, 1),
    0.05,
    0.3,
  ),
);

beforeAll(async () => {
  await tf.setBackend('wasm');
});

/** A convolution, a residual block, a strided convolution; each with batch normalization. */
function cnn(): tfl.LayersModel {
  const input = tfl.input({ shape: [SIZE, SIZE, 2] });
  const block = (x: tfl.SymbolicTensor, at: number, strides: number) => {
    const [, , , filters] = shapes[at]!;
    const conv = tfl.layers.conv2d({
      filters: filters!,
      kernelSize: 3,
      strides,
      padding: 'same',
      useBias: false,
    });
    const z = conv.apply(x) as tfl.SymbolicTensor;
    setWeights(conv, [kernels[at]!]);
    const y = tfl.layers.batchNormalization({ name: `bn${at}` }).apply(z);
    return tfl.layers.reLU().apply(y) as tfl.SymbolicTensor;
  };
  const first = block(input, 0, 1);
  const sum = tfl.layers.add().apply([first, block(first, 1, 1)]) as tfl.SymbolicTensor;
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(block(sum, 2, 2)) as tfl.SymbolicTensor;
  return tfl.model({
    inputs: input,
    outputs: tfl.layers.dense({ units: 2 }).apply(pooled) as tfl.SymbolicTensor,
  });
}

function batchesOf(size: number): tf.Tensor4D[] {
  const values = SIZE * SIZE * 2;
  const batches: tf.Tensor4D[] = [];
  for (let start = 0; start < IMAGES; start += size) {
    const end = Math.min(IMAGES, start + size);
    batches.push(tf.tensor4d(images.slice(start * values, end * values), [end - start, SIZE, SIZE, 2]));
  }
  return batches;
}

async function estimated(model: tfl.LayersModel, size: number, mode: 'batch' | 'layerwise') {
  const xs = batchesOf(size);
  const result = await estimateStatistics(model, xs, { mode });
  tf.dispose(xs);
  return result;
}

test('layerwise is the same for batch sizes 1, 7 and 64, and on cpu', async () => {
  const net = convert(cnn());
  const whole = await estimated(net, IMAGES, 'batch');
  const wasm = await Promise.all([1, 7, 64].map((size) => estimated(net, size, 'layerwise')));
  await tf.setBackend('cpu');
  const cpu = await estimated(net, 7, 'layerwise');
  await tf.setBackend('wasm');
  for (const { statistics, report } of [...wasm, cpu]) {
    statistics.forEach(({ mean, variance, count }, i) => {
      expectClose(mean, whole.statistics[i]!.mean, 1e-5);
      expectClose(variance, whole.statistics[i]!.variance, 1e-5);
      expect(count).toBe(IMAGES * SIZE * SIZE * (i === 2 ? 0.25 : 1));
    });
    expect(report.passes).toBe(3);
  }
  net.dispose();
});

describe.each(['batch', 'layerwise'] as const)("mode '%s'", (mode) => {
  test('stock and converted models agree, and nothing is left', async () => {
    const [stock, converted] = [cnn(), convert(cnn())];
    const [ours, theirs] = [await estimated(converted, 16, mode), await estimated(stock, 16, mode)];
    expect(ours.statistics).toEqual(theirs.statistics);
    const xs = batchesOf(16);
    await expectNoLeaks(tf, () => recalibrate(converted, xs, { mode }));
    tf.dispose(xs);
    stock.dispose();
    converted.dispose();
  });

  test('after recalibration, inference normalizes as it was measured', async () => {
    const model = convert(cnn());
    const xs = batchesOf(IMAGES);
    await recalibrate(model, xs, { mode });
    const again = await estimateStatistics(model, xs, { mode: 'layerwise' });
    for (const { shift } of again.report.layers) {
      expect(shift!.mean.max).toBeLessThan(1e-5);
      expect(shift!.variance.max).toBeLessThan(1e-5);
    }
    tf.dispose(xs);
    model.dispose();
  });
});

test('tensors do not pile up with the batches', async () => {
  const model = convert(cnn());
  const counts: number[] = [];
  const stream = {
    *[Symbol.iterator]() {
      for (let i = 0; i < 60; i++) yield tf.zeros([2, SIZE, SIZE, 2]);
    },
  };
  await recalibrate(model, stream, { onProgress: () => counts.push(tf.memory().numTensors) });
  expect(counts.length).toBe(60);
  // One batch and one read may be under way or not when progress is told; a leak would add one tensor per batch.
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(3);
  model.dispose();
});
