import '@tensorflow/tfjs-backend-cpu';
import { layersModel } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import type { Data } from '../data/data.ts';
import { measurerOf } from './open-task.ts';
import type { MeasuringTask } from './task.ts';

test('a part that is asked for while one computes is read before the next one computes', async () => {
  await tf.setBackend('cpu');
  const log: string[] = [];
  const computing: (() => void)[] = [];
  const layer = tfl.layers.activation({ activation: 'linear', inputShape: [2] });
  const model = tfl.sequential({ layers: [layer, tfl.layers.batchNormalization()] });
  const call = layer.call.bind(layer);
  layer.call = (inputs, args) => {
    log.push(`compute ${log.filter((one) => one.startsWith('compute')).length}`);
    computing.shift()?.();
    return call(inputs, args);
  };
  const task = { positions: 8, batchSize: 2, mode: 'batch' } as MeasuringTask;
  const normalized = layersModel(model);
  log.length = 0;
  const measurer = measurerOf(
    { normalized: () => normalized },
    dataOf((from) => log.push(`read ${from / 2}`)),
    task,
    new AbortController().signal,
  );
  const part = (first: number) =>
    measurer.measure({ pass: 1, statistics: [null], skipped: [], first, batches: 1 });
  const parts = [part(0), part(1), part(2)];
  // As a message does that arrives meanwhile: it is heard in a later turn.
  computing.push(() => setImmediate(() => parts.push(part(3))));
  await parts[2];
  await Promise.all(parts);
  expect(log.filter((one) => one.startsWith('read'))).toHaveLength(4);
  expect(log.indexOf('read 3')).toBeLessThan(log.indexOf('compute 2'));
  await measurer.close();
  model.dispose();
});

/** Samples of two numbers. */
function dataOf(onRead: (from: number) => void): Data {
  return {
    read: async function* ({ from, to }) {
      onRead(from);
      const values = Float32Array.from({ length: 2 * (to - from) }, (_, i) => from + i);
      const input = { dtype: 'float32', name: null, shape: [to - from, 2], values } as const;
      yield {
        ...{ from, to, count: to - from, inputs: [input], labels: null, bad: [] },
        positions: Int32Array.from({ length: to - from }, (_, i) => from + i),
      };
    },
  } as Data;
}
