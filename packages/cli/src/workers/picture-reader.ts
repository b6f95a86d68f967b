// What runs in the thread that reads pictures: it decodes what it is asked for while another one computes.
import { availableParallelism } from 'node:os';
import { kTransferable, kValue, Tinypool } from 'tinypool';
import type { SampleBatch, SampleRange } from '../data/data.ts';
import { folderReader, type OpenFolder } from '../data/folder/folder-reader.ts';
import { type Failure, failureOf } from './failure.ts';

/** What it answers. */
export type ReadAnswer = { readonly batch: SampleBatch } | { readonly failure: Failure };

/** As many pictures at a time as libuv has threads for, but one core is left to whoever computes. */
const WIDTH = Math.min(4, Math.max(1, availableParallelism() - 1));

const { read } = folderReader(process.__tinypool_state__.workerData as OpenFolder, WIDTH);

export default async function answer(range: SampleRange): Promise<unknown> {
  try {
    const batch = await read(range);
    const buffers = batch.inputs.map(({ values }) => values.buffer);
    const answered: ReadAnswer = { batch };
    // The values change hands, and are not copied.
    return Tinypool.move({ [kTransferable]: buffers, [kValue]: answered });
  } catch (error) {
    return { failure: failureOf(error) } satisfies ReadAnswer;
  }
}
