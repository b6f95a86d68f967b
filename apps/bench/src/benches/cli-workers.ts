// `rebatch recalibrate --workers`: what a second thread gains, and what decoding costs beside computing.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MeasuringTask, openData, startWorkers, type WorkerPool } from '@rebatch/cli/~internal';
import { estimateStatistics } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { BATCH, IMAGES, makeTask, recalibrateBy, SIDE } from '../cli-folder.ts';
import { measure } from '../measure.ts';
import { buildMobilenetV2 } from '../mobilenet-v2.ts';

const PROCESSES = 2;
/** Many, for pairs of seconds differ by a third and more on a machine that others use. */
const PAIRS = { pairs: [5, 15], budgetMs: 180_000 } as const;

export const cliWorkers: Bench = {
  name: 'cli-workers',
  summary:
    'MobileNet v2 recalibrated on a folder of JPEGs: two threads over one, and one over decoded tensors',
  cases: () => [
    onFolder(
      '2 workers',
      'one worker',
      1.7,
      async ({ task, model, pools: [two, one] }) =>
        measure(
          { run: () => recalibrateBy(two!.measurers, task, model) },
          { run: () => recalibrateBy(one!.measurers, task, model) },
          PAIRS,
        ),
      'Processes that share nothing gain little more: the row below.',
    ),
    onFolder(
      '1 worker',
      'the same batches as tensors',
      1 / 1.15,
      async ({ task, model, tensors, pools: [, one] }) =>
        measure(
          { run: () => recalibrateBy(one!.measurers, task, model) },
          { run: () => estimateStatistics(model, tensors) },
          PAIRS,
        ),
      'Nothing computes while the first batch is decoded, and what decodes the next ones shares the memory, and at times the core.',
    ),
    alone(),
  ],
};

interface Setting {
  readonly task: MeasuringTask;
  readonly model: tfl.LayersModel;
  readonly tensors: readonly tf.Tensor[];
  /** Of two threads, and of one. */
  readonly pools: readonly WorkerPool[];
}

function onFolder(
  name: string,
  peer: string,
  target: number,
  run: (setting: Setting) => ReturnType<BenchCase['measure']>,
  note?: string,
): BenchCase {
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape([IMAGES, SIDE, SIDE, 3]),
    peer,
    target,
    ...(note !== undefined && { note }),
    measure: async () => {
      await useBackend('wasm');
      const folder = await mkdtemp(join(tmpdir(), 'rebatch-bench-'));
      const model = buildMobilenetV2(SIDE);
      const pools: WorkerPool[] = [];
      const tensors: tf.Tensor[] = [];
      try {
        const task = await makeTask(folder, model);
        const data = await openData(task.data);
        for await (const { inputs } of data.read({ from: 0, to: IMAGES, batchSize: BATCH })) {
          tensors.push(tf.tensor(inputs[0]!.values, [...inputs[0]!.shape]));
        }
        pools.push(await startWorkers(2, task), await startWorkers(1, task));
        await checkSame({ task, model, tensors, pools });
        return await run({ task, model, tensors, pools });
      } finally {
        for (const pool of pools) await pool.close();
        tf.dispose(tensors);
        model.dispose();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** A peer is timed only after it has come to the same result: here to the same bits. */
async function checkSame({ task, model, tensors, pools }: Setting): Promise<void> {
  const expected = await estimateStatistics(model, tensors);
  for (const pool of pools) {
    const { statistics } = await recalibrateBy(pool.measurers, task, model);
    const same = statistics.every(({ mean, variance }, i) => {
      const other = expected.statistics[i]!;
      return (
        mean.every((value, c) => value === other.mean[c]) &&
        variance.every((value, c) => value === other.variance[c])
      );
    });
    if (!same) throw new Error('Threads came to other statistics than one loop over tensors.');
  }
}

/**
 * How far two threads can get on this machine: processes that share nothing, each with its half of the pictures, against one of
 * them with all.
 */
function alone(): BenchCase {
  return {
    case: '2 processes that share nothing',
    backend: 'wasm',
    shape: formatShape([IMAGES, SIDE, SIDE, 3]),
    peer: 'one process',
    measure: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rebatch-bench-'));
      const model = buildMobilenetV2(SIDE);
      const processes: ChildProcess[] = [];
      try {
        const task = await makeTask(folder, model);
        const bin = new URL('../../bin/cli-alone.js', import.meta.url);
        for (let i = 0; i < PROCESSES; i++) {
          const child = fork(bin, [JSON.stringify(task)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
          processes.push(child);
          await answerOf(child);
        }
        const run = (child: ChildProcess, positions: number) => {
          child.send(positions);
          return answerOf(child);
        };
        return await measure(
          { run: () => Promise.all(processes.map((child) => run(child, IMAGES / PROCESSES))) },
          { run: () => run(processes[0]!, IMAGES) },
          PAIRS,
        );
      } finally {
        for (const child of processes) child.kill();
        model.dispose();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Rejects if the process ends before it answers. */
async function answerOf(child: ChildProcess): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`A process ended with exit code ${code} before it had measured anything.`);
      }),
    ]);
  } finally {
    ended.abort();
  }
}
