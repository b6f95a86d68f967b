// Threads that each have the model and read the data for themselves.
import type { Tinypool } from 'tinypool';
import { AT_A_TIME } from '../parts/measure-pass.ts';
import type { PartMeasurer } from '../parts/open-task.ts';
import type { MeasuringTask } from '../parts/task.ts';
import { errorOf } from './failure.ts';
import { oneThread } from './one-thread.ts';
import type { Answer, Message } from './worker.ts';

/** Threads at work. */
export interface WorkerPool {
  /** One per thread. */
  readonly measurers: readonly Pick<PartMeasurer, 'measure'>[];
  /** Ends the threads, whatever they do. */
  close(): Promise<void>;
}

/**
 * Starts threads and waits until each has opened the model and the data.
 *
 * @throws (rejects) with what one of them could not open.
 */
export async function startWorkers(count: number, task: MeasuringTask): Promise<WorkerPool> {
  // A pool per thread: which one measures a batch matters, because it keeps what the next pass needs of it.
  const pools = Array.from({ length: count }, () => oneThread('worker', AT_A_TIME));
  const close = async () => {
    await Promise.all(pools.map((pool) => pool.destroy()));
  };
  const ask = async (pool: Tinypool, message: Message) => {
    const answer = (await pool.run(message)) as Answer;
    if ('part' in answer) return answer.part!;
    throw errorOf(answer.failure);
  };
  try {
    await Promise.all(pools.map((pool) => ask(pool, { task })));
  } catch (error) {
    await close();
    throw error;
  }
  return { measurers: pools.map((pool) => ({ measure: (request) => ask(pool, { request }) })), close };
}
