// What runs in each thread: opens what the task names, and measures what it is asked.
import type { ShardRequest } from '@rebatch/recalibrate/shards';
import { type MeasuredPart, openTask, type PartMeasurer } from '../parts/open-task.ts';
import type { MeasuringTask } from '../parts/task.ts';
import { type Failure, failureOf } from './failure.ts';

/** What is asked of a thread: to open a task, first of all, or to measure. */
export type Message = { readonly task: MeasuringTask } | { readonly request: ShardRequest };

/** What a thread answers. */
export type Answer = { readonly part: MeasuredPart | null } | { readonly failure: Failure };

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
    return { failure: failureOf(error) };
  }
}
