import { momentsOf } from '@rebatch/stats';
import { expect, test } from 'vitest';
import { estimatorContract } from './contract.ts';
import { EstimatorOptionError } from './errors.ts';
import { estimatorFromJSON } from './estimator-from-json.ts';
import { type SlidingWindowOptions, slidingWindow } from './sliding-window.ts';

for (const batches of [1, 3, 100]) {
  const checks = estimatorContract({
    name: `slidingWindow ${batches}`,
    create: () => slidingWindow({ batches }),
  });
  for (const { name, check } of checks) test(name, check);
}

test('gives the moments of the values in the last batches, weighted by count', () => {
  const estimator = slidingWindow({ batches: 2 });
  for (const values of [[1e6, 7], [1, 2, 3], [4]]) estimator.update(momentsOf(values));
  const estimate = estimator.estimate();
  expect(estimate.count).toBe(4);
  expect(estimate.mean[0]).toBeCloseTo(2.5, 12);
  expect(estimate.variance[0]).toBeCloseTo(1.25, 12);
});

test('refuses a window that is not a positive integer', () => {
  for (const batches of [0, -1, 1.5, Number.NaN, Infinity, '3', [3], true, null] as number[]) {
    expect(() => slidingWindow({ batches })).toThrow(EstimatorOptionError);
  }
  expect(() => slidingWindow(undefined as unknown as SlidingWindowOptions)).toThrow(
    /options to be an object such as \{batches: \.\.\.\}, got undefined/,
  );
  expect(() => slidingWindow({} as SlidingWindowOptions)).toThrow(/integer >= 1, got undefined\. Call/);
  expect(() => slidingWindow({ batches: 3, batch: 1 } as SlidingWindowOptions)).toThrow(
    /"batch"\. Did you mean batches\?/,
  );
});

test('refuses a state with more batches than the window, or of mixed channels', () => {
  const estimator = slidingWindow({ batches: 2 });
  estimator.update(momentsOf([1, 2]));
  estimator.update(momentsOf([3, 4]));
  const state = estimator.toJSON();
  expect(() => estimatorFromJSON({ ...state, batches: 1 })).toThrow(/"slidingWindow".*at most 1 set/s);
  const other = slidingWindow({ batches: 2 });
  other.update(momentsOf([1, 2, 3, 4], { channels: 2 }));
  const recent = [...(state.recent as []), ...(other.toJSON().recent as [])].slice(1);
  expect(() => estimatorFromJSON({ ...state, recent })).toThrow(/same channels/);
});
