import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LimitFunction } from 'p-limit';

/**
 * The results of one asynchronous step per item, in order; the next step runs while a result is in use, so that decoding
 * overlaps computing. A step that is under way when the caller leaves is waited for.
 */
export async function* ahead<Item, Result>(
  items: Iterable<Item>,
  step: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const iterator = items[Symbol.iterator]();
  const start = () => {
    const { done, value } = iterator.next();
    if (done) return undefined;
    const running = step(value);
    // Who awaits it hears of it.
    running.catch(() => {});
    return running;
  };
  let next = start();
  try {
    while (next) {
      const result = await next;
      next = start();
      // The step begins in this turn; after it, the caller may keep the thread for a long time.
      if (next) await nextTurn();
      yield result;
    }
  } finally {
    await next?.catch(() => {});
  }
}

/**
 * Runs `step` for all items, as `limit` lets them, and gives the results in order. The first failure ends it, when what is
 * under way is done.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: LimitFunction,
  step: (item: Item, at: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let failed = false;
  const run = async (item: Item, at: number) => {
    if (failed) return;
    try {
      results[at] = await step(item, at);
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const all = await Promise.allSettled(items.map((item, at) => limit(run, item, at)));
  const failure = all.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return results;
}
