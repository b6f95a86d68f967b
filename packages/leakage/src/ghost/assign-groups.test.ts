import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Assignment, assignGroups } from './assign-groups.ts';
import { groupOfEach } from './groups.test.support.ts';

const ASSIGNMENTS: readonly Assignment[] = ['consecutive', 'strided', 'random'];

function groupsOf(samples: number, ...how: [object, Assignment, number, number]): number[] {
  const batches = assignGroups(samples, ...how);
  const groups = groupOfEach(samples, batches);
  expect(Math.max(...groups)).toBe(batches.count - 1);
  return groups;
}

function sizesOf(groups: readonly number[]): number[] {
  const sizes = Array<number>(Math.max(...groups) + 1).fill(0);
  for (const group of groups) sizes[group]!++;
  return sizes;
}

test('the assignments by example', () => {
  const by = (assign: Assignment, count: object) => groupsOf(7, count, assign, 4, 1);
  expect(by('consecutive', { groupSize: 3 })).toEqual([0, 0, 0, 1, 1, 1, 2]);
  expect(by('consecutive', { groups: 3 })).toEqual([0, 0, 1, 1, 2, 2, 2]);
  expect(by('strided', { groupSize: 3 })).toEqual([0, 1, 2, 0, 1, 2, 0]);
  expect(by('strided', { groups: 2 })).toEqual([0, 1, 0, 1, 0, 1, 0]);
  expect(by('random', { groups: 3 }).toSorted()).toEqual([0, 0, 1, 1, 2, 2, 2]);
  // One sample of one value cannot be normalized by itself.
  expect(groupsOf(7, { groupSize: 3 }, 'consecutive', 1, 0)).toEqual([0, 0, 0, 1, 1, 1, 1]);
  expect(groupsOf(5, { groups: 4 }, 'consecutive', 1, 0)).toEqual([0, 0, 1, 1, 1]);
  expect(groupsOf(5, { groups: 4 }, 'consecutive', 2, 0)).toEqual([0, 1, 2, 3, 3]);
  expect(groupsOf(1, { groups: 4 }, 'random', 1, 0)).toEqual([0]);
});

test('every group is there, and sizes differ as little as they may', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.nat(),
      (samples, n, seed) => {
        for (const assign of ASSIGNMENTS) {
          for (const valuesPerSample of [1, 4]) {
            const byNumber = sizesOf(groupsOf(samples, { groups: n }, assign, valuesPerSample, seed));
            expect(Math.max(...byNumber) - Math.min(...byNumber)).toBeLessThanOrEqual(1);
            const single = (groups: number) => Math.floor(samples / groups) * valuesPerSample < 2;
            // As many as were asked for, or as many as leave none with a single value; a batch of one is one all the same.
            expect(byNumber.length === 1 || !single(byNumber.length)).toBe(true);
            if (byNumber.length < n) expect(single(byNumber.length + 1)).toBe(true);
          }
          const bySize = sizesOf(groupsOf(samples, { groupSize: n }, assign, 4, seed));
          expect(bySize.length).toBe(Math.ceil(samples / Math.min(n, samples)));
          expect(Math.max(...bySize)).toBeLessThanOrEqual(n);
        }
      },
    ),
  );
});

test('random groups: the same seed, the same groups; over seeds, every pair meets as often as any', () => {
  const draw = (seed: number) => groupsOf(8, { groups: 2 }, 'random', 1, seed);
  expect(draw(3)).toEqual(draw(3));
  let together = 0;
  for (let seed = 0; seed < 2000; seed++) {
    const groups = draw(seed);
    if (groups[0] === groups[1]) together++;
  }
  // 3/7 of 2000 is 857, with a deviation of 22.
  expect(Math.abs(together - 857)).toBeLessThan(110);
});
