// What fvcore's way of averaging loses in float32, and what ours does not: the numbers of the fixture, found again.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import '@rebatch/kernels-wasm';
import { batchNormalization } from '@rebatch/layers';
import { estimateStatistics } from '@rebatch/recalibrate';
import * as tfl from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import { beforeAll, expect, test } from 'vitest';
import { readFvcore } from './files.ts';

const fixture = await readFvcore();

beforeAll(async () => {
  await tf.setBackend('wasm');
});

const [BATCHES, ROWS, CHANNELS] = [20, 64, 32];

/** Float32 values with the deviation 1 around a mean of so many deviations. */
function batchesOf(deviations: number, draw: number): Float32Array[] {
  const random = seedrandom(`fvcore ${deviations} ${draw}`);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: BATCHES }, () =>
    Float32Array.from({ length: ROWS }, () => deviations + normal()),
  );
}

function exactVariance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

/** The published algorithm: a running average of squares, less the square of the average, all of it in float32. */
function bySquares(batches: readonly Float32Array[]): number {
  const f = Math.fround;
  let [mean, square, total] = [0, 0, 0];
  for (const batch of batches) {
    const own = [...batch];
    const center = f(own.reduce((sum, value) => sum + value, 0) / own.length);
    const squares = f(f(center * center) + f(exactVariance(own)));
    total += own.length;
    const share = own.length / total;
    mean = f(mean + f(f(center - mean) * share));
    square = f(square + f(f(squares - square) * share));
  }
  return f(square - f(mean * mean));
}

test.each(fixture.rows)('means of $deviations deviations', async ({ deviations, fvcore, ours }) => {
  const error = (batches: readonly Float32Array[], found: number) =>
    Math.abs(found / exactVariance(batches.flatMap((batch) => [...batch])) - 1);
  // How a sum rounds is chance, so the worst of many channels; its order of magnitude is not.
  const draws = Array.from({ length: CHANNELS }, (_, draw) => batchesOf(deviations, draw));
  const found = draws.map(bySquares);
  const lost = Math.max(...draws.map((batches, i) => error(batches, found[i]!)));
  expect(lost).toBeGreaterThan(fvcore.error / 10);
  expect(lost).toBeLessThan(fvcore.error * 100);
  expect(found.some((variance) => variance < 0)).toBe(fvcore.negative);
  const batches = draws[0]!;
  const model = tfl.sequential({ layers: [batchNormalization({ inputShape: [1] })] });
  const data = batches.map((batch) => tf.tensor2d(batch, [ROWS, 1]));
  const { statistics } = await estimateStatistics(model, data, { mode: 'batch', samples: 'all' });
  const kept = error(batches, statistics[0]!.variance[0]!);
  expect(kept).toBeLessThan(10 * ours);
  expect(kept).toBeLessThan(lost / 10);
  model.dispose();
  tf.dispose(data);
});
