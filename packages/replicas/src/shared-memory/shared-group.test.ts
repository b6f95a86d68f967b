// Groups over real threads. What fails in them, and how, is tested in ../training.
import { GroupError } from '@rebatch/leakage';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGroupMemory, ReplicaError, SharedGroup } from '../index.ts';
import type { Sum } from '../testing/replica.test.worker.ts';
import { ask, useThreads, watched } from '../testing/threads.test.support.ts';

const { workers } = useThreads([{}, {}, {}]);

/** What each replica got from its sums. */
function sums(byRank: readonly (readonly Sum[])[], options: { capacity?: number; timeoutMs?: number } = {}) {
  const memory = createGroupMemory({ size: byRank.length, timeoutMs: 10_000, ...options });
  const asked = byRank.map((values, rank) => ask(workers[rank]!, { kind: 'sums', memory, rank, values }));
  return watched(Promise.all(asked)) as Promise<(number[][] | { name: string; message: string })[]>;
}

test('sums are those of float64 in the order of ranks, the same bits on all replicas, in chunks of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 23 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.double({ noNaN: true, min: -1e9, max: 1e9 })),
      async (lengths, capacity, numbers) => {
        const byRank = workers.map(() =>
          lengths.map((length) => ({ values: Array.from({ length }, () => numbers.next().value) })),
        );
        const expected = lengths.map((length, at) =>
          Array.from({ length }, (_, i) => byRank.reduce((sum, own) => sum + own[at]!.values[i]!, 0)),
        );
        for (const got of await sums(byRank, { capacity })) expect(got).toEqual(expected);
      },
    ),
    { numRuns: 30 },
  );
});

test('float32 values are added up in float64 and rounded once', async () => {
  const values = [2 ** 24, 1, 1];
  const got = await sums(values.map((value) => [{ values: [value], float32: true }]));
  expect(got).toEqual(values.map(() => [[2 ** 24 + 2]]));
});

test('replicas that reduce different numbers of values are told on each other', async () => {
  const got = await sums([[{ values: [1, 2] }], [{ values: [1, 2] }], [{ values: [1] }]]);
  for (const error of got) expect(error).toMatchObject({ name: 'GroupError' });
  expect(got[0]).toMatchObject({ message: expect.stringMatching(/replica 0 has 2 values, replica 2 1/) });
});

test('a replica that does not come is named by those that wait', async () => {
  const got = await sums([[{ values: [1] }], [{ values: [1] }], []], { timeoutMs: 300 });
  for (const error of got.slice(0, 2)) {
    expect(error).toMatchObject({
      name: 'ReplicaError',
      message: expect.stringMatching(/^replica 2 stalled.*300 ms/),
    });
  }
});

test('a replica that gives up ends the wait of the others', () => {
  const memory = createGroupMemory({ size: 2, names: ['left', 'right'] });
  const [left, right] = [0, 1].map((rank) => new SharedGroup(memory, rank));
  right!.fail(new RangeError('no more'));
  left!.fail(new RangeError('too late to be heard'));
  const wait = () => left!.allReduceSum(new Float64Array(1));
  expect(wait).toThrow(ReplicaError);
  expect(wait).toThrow(/replica 1 \('right'\) threw: no more/);
});

test('a step is committed by all or by none, whoever ends the work of the group', () => {
  const memory = createGroupMemory({ size: 1 });
  const group = new SharedGroup(memory, 0);
  group.commit(1);
  group.fail(new Error('between steps'));
  expect(() => group.commit(2)).toThrow(/between steps/);
  // Another replica that looks only now finds step 1 taken, and step 2 not.
  group.commit(1);
});

test('options that cannot work are refused', () => {
  expect(() => createGroupMemory({ size: 0 })).toThrow(GroupError);
  expect(() => createGroupMemory({ size: 127 })).toThrow(/an integer >= 1 and <= 126, got 127/);
  expect(() => createGroupMemory({ size: 2, names: ['one'] })).toThrow(/expected 2 names/);
  expect(() => createGroupMemory({ size: 2, timeoutMs: 0 })).toThrow(/timeoutMs/);
  expect(() => createGroupMemory({ size: 2, capacity: 0.5 })).toThrow(/capacity/);
  expect(() => new SharedGroup(createGroupMemory({ size: 2 }), 2)).toThrow(/rank from 0 to 1, got 2/);
  const group = (options: object) => () => createGroupMemory({ size: 2, ...options });
  expect(group({ size: '2' })).toThrow('option size to be an integer >= 1 and <= 126, got "2".');
  expect(group({ timeoutMs: {} })).toThrow('a finite number > 0 or Infinity, got an object without members.');
  expect(group({ capacity: {} })).toThrow('an integer >= 1, got an object without members.');
  expect(group({ timeoutMs: '3' })).toThrow('a finite number > 0 or Infinity, got "3".');
  expect(group({ names: 'ab' })).toThrow('option names to be a list of names, got "ab".');
  expect(() => new SharedGroup(createGroupMemory({ size: 2 }), '1' as never)).toThrow('got "1".');
});
