// What an inspection costs beyond running the model: at most 2.5 times that, because its measurements share forwards.

import { inspect } from '@rebatch/inspect';
import { convert } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure } from '../measure.ts';
import { buildCnn, CNN_INPUT } from '../model.ts';

const BATCHES = 16;
const CLASSES = 10;

export const inspection: Bench = {
  name: 'inspect',
  summary: "inspection over the same model's predict on the same batches, with labels and without",
  cases: () => [overPredict(64, true), overPredict(64, false), overPredict(16, true)],
};

function overPredict(batchSize: number, labels: boolean): BenchCase {
  return {
    case: `${labels ? 'with' : 'without'} labels, ${BATCHES} batches`,
    backend: 'wasm',
    shape: formatShape([batchSize, ...CNN_INPUT]),
    peer: 'predict on the same batches',
    target: 1 / 2.5,
    measure: async () => {
      await useBackend('wasm');
      const model = convert(buildCnn());
      const data = Array.from({ length: BATCHES }, (_, at) => ({
        xs: randomTensor([batchSize, ...CNN_INPUT], at + 1),
        ys: tf.tensor1d(
          Array.from({ length: batchSize }, (_, i) => (i + at) % CLASSES),
          'int32',
        ),
      }));
      try {
        return await measure(
          { run: () => inspect(model, data, { labels }) },
          { run: () => predictAll(model, data) },
        );
      } finally {
        tf.dispose(data);
        model.dispose();
      }
    },
  };
}

/** Runs the model on every batch and reads the outputs, as whoever predicts does. */
async function predictAll(model: tfl.LayersModel, data: readonly { xs: tf.Tensor }[]): Promise<void> {
  for (const { xs } of data) {
    const y = model.predictOnBatch(xs) as tf.Tensor;
    await y.data();
    y.dispose();
  }
}
