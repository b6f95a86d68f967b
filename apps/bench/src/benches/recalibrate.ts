// What PreciseBN costs beyond running the model, and whether a long run of it holds on to anything.

import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { populationVariance } from '@rebatch/estimators';
import { convert } from '@rebatch/layers';
import { recalibrate } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend, wasmHeapBytes } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { type Measurement, measure, median } from '../measure.ts';
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
const LATE = 1000;
const RUNS = 3;
/** Small batches: what one would leave behind does not depend on how many images it has. */
const MEMORY_SHAPE = [2, ...CNN_INPUT];

interface Snapshot {
  readonly tensors: number;
  readonly wasmBytes: number;
  readonly jsBytes: number;
}

interface Run {
  readonly early: Snapshot;
  readonly late: Snapshot;
  /** Milliseconds per batch of the first 10, and of those after. */
  readonly earlyMs: number;
  readonly lateMs: number;
}

/**
 * All three cases look at the same runs. Here `ratio` is the amount after 10 batches over the amount after 1,000 of
 * the same stream, and the milliseconds are per batch, `ours_ms` after the first 10. JavaScript's heap may differ by
 * 1 %: V8 keeps compiling, and a loop of nothing but predict differs by as much.
 */
function memory(): BenchCase[] {
  let runs: Promise<Run[]> | undefined;
  const one = (name: string, amount: (snapshot: Snapshot) => number, target: number): BenchCase => ({
    case: `memory, ${name}`,
    backend: 'wasm',
    shape: formatShape(MEMORY_SHAPE),
    peer: `after ${EARLY} of ${LATE} batches`,
    target,
    measure: async () => {
      runs ??= streamBatches();
      return compare(await runs, amount);
    },
  });
  return [
    one('tensors', ({ tensors }) => tensors, 1),
    one('wasm heap', ({ wasmBytes }) => wasmBytes, 1),
    one('JavaScript heap', ({ jsBytes }) => jsBytes, 0.99),
  ];
}

function compare(runs: readonly Run[], amount: (snapshot: Snapshot) => number): Measurement {
  const ratios = runs.map(({ early, late }) => amount(early) / amount(late));
  return {
    oursMs: median(runs.map(({ lateMs }) => lateMs)),
    peerMs: median(runs.map(({ earlyMs }) => earlyMs)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** Recalibrates on streams of 1,000 batches and takes snapshots between batches, when the next one is asked for. */
async function streamBatches(): Promise<Run[]> {
  await useBackend('wasm');
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const model = convert(buildCnn());
  const snapshot = (): Snapshot => {
    collectGarbage();
    const { numTensors: tensors } = tf.memory();
    return { tensors, wasmBytes: wasmHeapBytes(), jsBytes: process.memoryUsage().heapUsed };
  };
  const recalibrateOn = (onBatch: (at: number) => Promise<void>) => {
    async function* batches() {
      for (let at = 0; at <= LATE; at++) {
        await onBatch(at);
        if (at < LATE) yield randomTensor(MEMORY_SHAPE, at + 1);
      }
    }
    return recalibrate(model, batches(), { estimator, mode: 'batch', samples: 'all' });
  };
  const runs: Run[] = [];
  try {
    for (let run = 0; run < RUNS; run++) {
      // Collecting garbage makes V8 drop code that it then compiles again bit by bit, so that the heap seems to grow.
      // As many batches lie before the early snapshot as before the late one, and both find it in the same state.
      await recalibrateOn(async () => {});
      const taken = new Map<number, Snapshot>();
      const times = new Map<number, readonly [before: number, after: number]>();
      await recalibrateOn(async (at) => {
        if (at !== 0 && at !== EARLY && at !== LATE) return;
        const before = performance.now();
        // What is being read back meanwhile may arrive first, so that each snapshot finds the same in flight.
        await setTimeout(5);
        if (at !== 0) taken.set(at, snapshot());
        times.set(at, [before, performance.now()]);
      });
      const [start, early, late] = [0, EARLY, LATE].map((at) => times.get(at)!);
      runs.push({
        early: taken.get(EARLY)!,
        late: taken.get(LATE)!,
        earlyMs: (early![0] - start![1]) / EARLY,
        lateMs: (late![0] - early![1]) / (LATE - EARLY),
      });
    }
    return runs;
  } finally {
    model.dispose();
  }
}
