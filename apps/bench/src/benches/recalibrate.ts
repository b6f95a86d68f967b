// What PreciseBN costs beyond running the model, and whether a long run of it holds on to anything.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { populationVariance } from '@rebatch/estimators';
import { convert } from '@rebatch/layers';
import { recalibrate } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend, wasmHeapBytes } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { type Measurement, measure } from '../measure.ts';
import { buildCnn, CNN_INPUT } from '../model.ts';

export const recalibration: Bench = {
  name: 'recalibrate',
  summary: "recalibration in mode 'batch' over the same model's predict, and its memory over 1,000 batches",
  cases: () => [overPredict(64, 16), overPredict(16, 64), ...memory()],
};

const estimator = () => populationVariance();

function overPredict(batchSize: number, batches: number): BenchCase {
  return {
    case: `batch, ${batches} batches`,
    backend: 'wasm',
    shape: formatShape([batchSize, ...CNN_INPUT]),
    peer: 'predict on the same batches',
    target: 1 / 1.2,
    measure: async () => {
      await useBackend('wasm');
      const model = convert(buildCnn());
      const data = Array.from({ length: batches }, (_, at) =>
        randomTensor([batchSize, ...CNN_INPUT], at + 1),
      );
      try {
        return await measure(
          { run: () => recalibrate(model, data, { estimator, mode: 'batch', samples: 'all' }) },
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
async function predictAll(model: tfl.LayersModel, data: readonly tf.Tensor[]): Promise<void> {
  for (const x of data) {
    const y = model.predictOnBatch(x) as tf.Tensor;
    await y.data();
    y.dispose();
  }
}

const EARLY = 10;
const MARKS = [250, 500, 750, 1000];
const LATE = MARKS.at(-1)!;
const MEMORY_SHAPE = [16, ...CNN_INPUT];

interface Snapshot {
  readonly ms: number;
  readonly tensors: number;
  readonly wasmBytes: number;
  readonly jsBytes: number;
}

/**
 * One run over a stream of batches gives all three cases. Here `ratio` is the amount after 10 batches over the amount
 * after 1,000, the pairs are with the amounts after 250, 500, 750 and 1,000, and the milliseconds are per batch: of
 * the last 990 and of the first 10. JavaScript's heap may differ by 1 %: V8 compiles and optimizes as it goes.
 */
function memory(): BenchCase[] {
  let run: Promise<Map<number, Snapshot>> | undefined;
  const one = (name: string, amount: (snapshot: Snapshot) => number, target: number): BenchCase => ({
    case: `memory, ${name}`,
    backend: 'wasm',
    shape: formatShape(MEMORY_SHAPE),
    peer: `after ${EARLY} of ${LATE} batches`,
    target,
    measure: async () => {
      run ??= streamBatches();
      return compare(await run, amount);
    },
  });
  return [
    one('tensors', ({ tensors }) => tensors, 1),
    one('wasm heap', ({ wasmBytes }) => wasmBytes, 1),
    one('JavaScript heap', ({ jsBytes }) => jsBytes, 0.99),
  ];
}

function compare(
  snapshots: ReadonlyMap<number, Snapshot>,
  amount: (snapshot: Snapshot) => number,
): Measurement {
  const [start, early, late] = [0, EARLY, LATE].map((at) => snapshots.get(at)!) as [
    Snapshot,
    Snapshot,
    Snapshot,
  ];
  const ratios = MARKS.map((mark) => amount(early) / amount(snapshots.get(mark)!));
  return {
    oursMs: (late.ms - early.ms) / (LATE - EARLY),
    peerMs: (early.ms - start.ms) / EARLY,
    ratio: amount(early) / amount(late),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** Recalibrates on a stream of 1,000 batches and takes snapshots between batches, when the next one is asked for. */
async function streamBatches(): Promise<Map<number, Snapshot>> {
  await useBackend('wasm');
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const model = convert(buildCnn());
  const snapshots = new Map<number, Snapshot>();
  // The heap is looked at outside of the clock.
  let paused = 0;
  const snapshot = async (at: number) => {
    const ms = performance.now() - paused;
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 3; i++) collectGarbage();
    const { numTensors: tensors } = tf.memory();
    snapshots.set(at, { ms, tensors, wasmBytes: wasmHeapBytes(), jsBytes: process.memoryUsage().heapUsed });
    paused += performance.now() - paused - ms;
  };
  async function* batches(count: number, marks: readonly number[]) {
    for (let at = 0; at <= count; at++) {
      if (marks.includes(at)) await snapshot(at);
      if (at < count) yield randomTensor(MEMORY_SHAPE, at + 1);
    }
  }
  const options = { estimator, mode: 'batch', samples: 'all' } as const;
  try {
    await recalibrate(model, batches(LATE / 2, []), options);
    await recalibrate(model, batches(LATE, [0, EARLY, ...MARKS]), options);
    return snapshots;
  } finally {
    model.dispose();
  }
}
