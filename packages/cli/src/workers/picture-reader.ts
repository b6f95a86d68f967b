// What runs in the thread that reads pictures: it decodes what it is asked for while another one computes.
import { availableParallelism } from 'node:os';
import type { SampleBatch, SampleRange } from '../data/data.ts';
import { folderReader, type OpenFolder } from '../data/folder/folder-reader.ts';
import { type Failure, failureOf } from './failure.ts';

/** What is asked of it. */
export interface ReadMessage {
  readonly range: SampleRange;
  /** Where the values go if they fit. */
  readonly memory: SharedArrayBuffer | undefined;
}

/** What it answers. The values lie in shared memory: what changes hands lets the collector of either thread run for each batch. */
export type ReadAnswer = { readonly batch: SampleBatch } | { readonly failure: Failure };

/** As many pictures at a time as libuv has threads for, but one core is left to whoever computes. */
const WIDTH = Math.min(4, Math.max(1, availableParallelism() - 1));

const { read } = folderReader(process.__tinypool_state__.workerData as OpenFolder, WIDTH);

export default async function answer({ range, memory }: ReadMessage): Promise<ReadAnswer> {
  const lent = (bytes: number) =>
    memory && memory.byteLength >= bytes ? memory : new SharedArrayBuffer(bytes);
  try {
    return { batch: await read(range, undefined, lent) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
