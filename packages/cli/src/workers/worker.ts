// What runs in each thread: opens what the task names, and measures what it is asked.
import type { ShardRequest } from '@rebatch/recalibrate/shards';
import { RebatchError } from '@rebatch/stats';
import { exitCodeOf } from '../exit-codes.ts';
import { type MeasuredPart, openTask, type PartMeasurer } from '../parts/open-task.ts';
import type { MeasuringTask } from '../parts/task.ts';

/** What is asked of a thread: to open a task, first of all, or to measure. */
export type Message = { readonly task: MeasuringTask } | { readonly request: ShardRequest };

/** What a thread answers. Errors lose their class on the way, so they go as values. */
export type Answer =
  | { readonly part: MeasuredPart | null }
  | { readonly failure: { readonly message: string; readonly code: number; readonly known: boolean } };

let opened: Promise<PartMeasurer> | undefined;

export default async function answer(message: Message): Promise<Answer> {
  try {
    if ('task' in message) {
      opened = openTask(message.task, new AbortController().signal);
      await opened;
      return { part: null };
    }
    const { measure } = await opened!;
    return { part: await measure(message.request) };
  } catch (error) {
    const { message, stack } = error as Error;
    const known = error instanceof RebatchError;
    return { failure: { message: known ? message : (stack ?? message), code: exitCodeOf(error), known } };
  }
}
