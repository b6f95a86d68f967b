import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inOrder } from './in-order.ts';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of results) list.push(one);
  return list;
}

test('whatever lanes there are and however long items take, results come in order, each item once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 25 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 2 }),
      async (times, lanes, each) => {
        const busy = new Array(lanes).fill(0);
        const seen: number[] = [];
        const lane = (own: number) => async (i: number) => {
          busy[own] += 1;
          expect(busy[own]).toBeLessThanOrEqual(each);
          seen.push(i);
          await pause(times[i]!);
          busy[own] -= 1;
          return i * 10;
        };
        const items = times.map((_, i) => i);
        const results = inOrder(
          items,
          Array.from({ length: lanes }, (_, i) => lane(i)),
          each,
        );
        expect(await all(results)).toEqual(items.map((i) => i * 10));
        expect(seen.sort((a, b) => a - b)).toEqual(items);
      },
    ),
    { numRuns: 40 },
  );
});

test('what comes early waits for little: nobody runs far ahead of a slow one', async () => {
  let most = 0;
  let given = 0;
  const lane = async (i: number) => {
    if (i === 0) await pause(30);
    most = Math.max(most, i - given);
    return i;
  };
  for await (const _ of inOrder([...Array(100).keys()], [lane, lane], 2)) given += 1;
  expect(most).toBeLessThanOrEqual(16);
});

test('an item goes to the lane that it prefers, unless that one is busy', async () => {
  const by: string[] = [];
  const lane = (name: string) => async (i: number) => {
    by.push(`${name}${i}`);
    await pause(5);
    return i;
  };
  const began: string[] = [];
  const note = (i: number, at: number) => void began.push(`${'ab'[at]}${i}`);
  await all(inOrder([0, 1, 2, 3], [lane('a'), lane('b')], 1, (i) => (i < 2 ? 1 : 0), note));
  expect(by.slice(0, 2)).toEqual(['a2', 'b0']);
  expect(began).toEqual(by);
});

test('few items are shared by all lanes, however many each takes at a time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (count, lanes, each) => {
        const given: number[] = new Array(lanes).fill(0);
        const lane = (own: number) => async (i: number) => {
          given[own]! += 1;
          await pause(1);
          return i;
        };
        const items = [...Array(Math.min(count, lanes * each)).keys()];
        const own = Array.from({ length: lanes }, (_, i) => lane(i));
        const results = all(inOrder(items, own, each));
        expect(Math.max(...given) - Math.min(...given)).toBeLessThanOrEqual(1);
        expect(await results).toEqual(items);
      },
    ),
    { numRuns: 40 },
  );
});

describe('an end before the end', () => {
  test('a failure comes out in its place, when nothing is under way any more', async () => {
    let running = 0;
    const lane = async (i: number) => {
      running += 1;
      await pause(i === 3 ? 0 : 4);
      running -= 1;
      if (i === 3) throw new Error('item 3');
      return i;
    };
    const got: number[] = [];
    const run = (async () => {
      for await (const i of inOrder([...Array(50).keys()], [lane, lane], 2)) got.push(i);
    })();
    await expect(run).rejects.toThrow('item 3');
    expect(got).toEqual([0, 1, 2]);
    expect(running).toBe(0);
  });

  test('when the caller leaves, nothing more begins', async () => {
    let begun = 0;
    let running = 0;
    const lane = async (i: number) => {
      begun += 1;
      running += 1;
      await pause(2);
      running -= 1;
      return i;
    };
    for await (const i of inOrder([...Array(1000).keys()], [lane, lane], 2)) if (i === 5) break;
    expect(running).toBe(0);
    expect(begun).toBeLessThan(40);
  });
});
