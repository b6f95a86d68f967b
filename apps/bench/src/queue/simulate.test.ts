// The simulation against what can be worked out by hand.
import { seededRandom } from '@rebatch/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitOf, type QueueCosts, type QueueRun, simulate } from './simulate.ts';

const FREE: QueueCosts = { shardMs: [100], redisMs: 0, bytes: 0, mergeMs: 0, roundMs: 0 };
const runOf = (change: Partial<QueueRun> = {}): QueueRun => ({
  ...{ workers: 1, shards: 12, rounds: 1, bandwidth: 1e5, random: seededRandom(1).uniform },
  ...change,
});

test('where only measuring costs, time is that of the busiest worker', () => {
  for (const [workers, expected] of [
    [1, 1200],
    [2, 600],
    [5, 300],
    [12, 100],
    [500, 100],
  ] as const) {
    expect(simulate(FREE, runOf({ workers }))).toBeCloseTo(expected, 9);
  }
});

test('rounds come one after the other, each with its merge and its pause', () => {
  const costs = { ...FREE, mergeMs: 2, roundMs: 7 };
  expect(simulate(costs, runOf({ workers: 12, rounds: 3 }))).toBeCloseTo(3 * (100 + 12 * 2 + 7), 9);
});

test('rounds that differ take as long as each does', () => {
  const costs = { ...FREE, shardMs: [50, 150], levelMs: [10, 30, 200] };
  expect(simulate(costs, runOf({ workers: 12, rounds: 3 }), 'uneven shards')).toBeCloseTo(240, 9);
});

test('with many workers, Redis and its network are what is left: one shard after the other', () => {
  const redis = { ...FREE, redisMs: 40 };
  // Twelve are taken out in 12 * 20 ms, while the first five results come; 12 * 20 ms for the results.
  expect(simulate(redis, runOf({ workers: 1000 }))).toBeCloseTo(12 * 20 + 12 * 20, 9);
  const wire = { ...FREE, bytes: 3e6 };
  expect(simulate(wire, runOf({ workers: 1000 }))).toBeCloseTo(100 + 12 * 30, 9);
});

test('what holds a run back is named', () => {
  const named = (costs: Partial<QueueCosts>, workers: number) =>
    limitOf({ ...FREE, ...costs }, () => runOf({ workers })).limit;
  expect(named({}, 100)).toBe('too few shards');
  expect(named({ redisMs: 90 }, 12)).toBe('Redis');
  expect(named({ bytes: 1e8 }, 4)).toBe('the network');
  expect(named({ mergeMs: 50 }, 12)).toBe('merging');
  expect(named({ roundMs: 500 }, 12)).toBe('rounds');
  expect(named({ shardMs: [10, 10, 10, 370] }, 6)).toBe('uneven shards');
});

test('never faster than the work allows, nor slower than one worker', () => {
  const cost = fc.double({ min: 0, max: 20, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.double({ min: 1, max: 200, noNaN: true }), { minLength: 1, maxLength: 5 }),
      cost,
      cost,
      (workers, shards, shardMs, redisMs, mergeMs) => {
        const costs = { ...FREE, shardMs, redisMs, mergeMs };
        const time = simulate(costs, runOf({ workers, shards }));
        const single = simulate(costs, runOf({ shards }));
        expect(time).toBeLessThanOrEqual(single + 1e-6 + Math.max(...shardMs));
        expect(time).toBeGreaterThanOrEqual(
          (shards * Math.min(...shardMs)) / workers + shards * mergeMs - 1e-6,
        );
      },
    ),
  );
});
