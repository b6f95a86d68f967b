import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { ahead, inParallel } from './ahead.ts';

test('the next step runs while a result is in use, and no more than that', async () => {
  const log: string[] = [];
  const step = async (item: number) => {
    log.push(`start ${item}`);
    return item;
  };
  for await (const item of ahead([1, 2, 3], step)) log.push(`use ${item}`);
  expect(log).toEqual(['start 1', 'start 2', 'use 1', 'start 3', 'use 2', 'use 3']);
});

test('the next step has begun when a result is in use, however many promises it begins with', async () => {
  let begun = 0;
  const step = async (item: number) => {
    for (let i = 0; i < 10; i++) await null;
    begun = item;
    return item;
  };
  for await (const item of ahead([1, 2, 3], step)) expect(begun).toBe(Math.min(item + 1, 3));
});

test('a step that fails ends it in its turn, and one under way is waited for when the caller leaves', async () => {
  const used: number[] = [];
  const failing = async () => {
    for await (const item of ahead([1, 2, 3], async (one) => {
      if (one === 2) throw new Error('two');
      return one;
    })) {
      used.push(item);
    }
  };
  await expect(failing()).rejects.toThrow('two');
  expect(used).toEqual([1]);
  let done = 0;
  for await (const _ of ahead([1, 2, 3], async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    done += 1;
  })) {
    break;
  }
  expect(done).toBe(2);
});

test('in parallel, in order, and no further than the first failure', async () => {
  let [running, most] = [0, 0];
  const slow = async (item: number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5 - item));
    running--;
    return 2 * item;
  };
  expect(await inParallel([1, 2, 3, 4], pLimit(2), slow)).toEqual([2, 4, 6, 8]);
  expect(most).toBe(2);
  const started: number[] = [];
  const failing = inParallel([0, 1, 2, 3, 4], pLimit(2), async (item) => {
    started.push(item);
    if (item === 1) throw new Error('one');
    await new Promise((resolve) => setTimeout(resolve, 2));
  });
  await expect(failing).rejects.toThrow('one');
  expect(started).toEqual([0, 1]);
});

test('what was asked for first is done first, whatever else is asked for meanwhile', async () => {
  const limit = pLimit(2);
  const done: string[] = [];
  const all = (name: string) =>
    inParallel([1, 2, 3, 4, 5], limit, async (item) => {
      await new Promise((resolve) => setTimeout(resolve, item % 2));
      done.push(name + item);
    });
  await Promise.all([all('a'), all('b')]);
  expect(done.slice(0, 4).every((one) => one.startsWith('a'))).toBe(true);
  expect(done).toHaveLength(10);
});
