// A thread that reads a folder's pictures, so that the one that computes with them does nothing else.
import type { Tinypool } from 'tinypool';
import type { SampleBatch, SampleRange } from '../data/data.ts';
import type { FolderReader, OpenFolder } from '../data/folder/folder-reader.ts';
import { errorOf } from './failure.ts';
import { oneThread } from './one-thread.ts';
import type { ReadAnswer, ReadMessage } from './picture-reader.ts';

/** Batches that are asked for at a time: more than anyone does. */
const AT_A_TIME = 1024;

/** The thread starts with the first batch that is asked of it, and ends with `close`. */
export function readInThread(folder: OpenFolder): Pick<FolderReader, 'read'> & { close(): Promise<void> } {
  let pool: Tinypool | undefined;
  // What batches lay in that have been released: as many as were in use at a time.
  const free: SharedArrayBuffer[] = [];
  const ask = async (range: SampleRange): Promise<SampleBatch> => {
    pool ??= oneThread('picture-reader', AT_A_TIME, folder);
    const message: ReadMessage = { range, memory: free.pop() };
    const answer = (await pool.run(message)) as ReadAnswer;
    if ('failure' in answer) throw errorOf(answer.failure);
    return { ...answer.batch, release: once(() => free.push(memoryOf(answer.batch))) };
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

const memoryOf = ({ inputs }: SampleBatch) => inputs[0]!.values.buffer as SharedArrayBuffer;

/** Memory that were released twice would be lent to two batches. */
function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
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
