// A thread that reads a folder's pictures, so that the one that computes with them does nothing else.
import type { Tinypool } from 'tinypool';
import type { SampleBatch, SampleRange } from '../data/data.ts';
import type { FolderReader, OpenFolder } from '../data/folder/folder-reader.ts';
import { errorOf } from './failure.ts';
import { oneThread } from './one-thread.ts';
import type { ReadAnswer } from './picture-reader.ts';

/** Batches that are asked for at a time: more than anyone does. */
const AT_A_TIME = 1024;

/** The thread starts with the first batch that is asked of it, and ends with `close`. */
export function readInThread(folder: OpenFolder): Pick<FolderReader, 'read'> & { close(): Promise<void> } {
  let pool: Tinypool | undefined;
  const ask = async (range: SampleRange): Promise<SampleBatch> => {
    pool ??= oneThread('picture-reader', AT_A_TIME, folder);
    const answer = (await pool.run(range)) as ReadAnswer;
    if ('batch' in answer) return answer.batch;
    throw errorOf(answer.failure);
  };
  return {
    async read(range, signal) {
      signal?.throwIfAborted();
      return untilAborted(ask(range), signal);
    },
    async close() {
      await pool?.destroy();
      pool = undefined;
    },
  };
}

/** Nobody waits for what is under way when the signal comes. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
