import { expect, test } from 'vitest';
import { schedule } from './schedule.ts';
import type { Application } from './trace.ts';

/** [layer, positions that it depends on] */
const applications = (...list: [number, number[]][]): Application[] => {
  const calls = new Map<number, number>();
  return list.map(([layer, after]) => {
    const index = calls.get(layer) ?? 0;
    calls.set(layer, index + 1);
    return { layer, index, after: new Set(after) };
  });
};

test('a chain takes one pass per layer', () => {
  expect(schedule(applications([0, []], [1, [0]], [2, [0, 1]]))).toEqual({ passOf: [1, 2, 3], passes: 3 });
});

test('branches share passes', () => {
  const branches = applications([0, []], [1, []], [2, [0]], [3, [0, 1, 2]]);
  expect(schedule(branches)).toEqual({ passOf: [1, 1, 2, 3], passes: 3 });
});

test('a shared layer waits for its deepest application, and what follows waits for all of it', () => {
  // Layer 1 is applied to the input and behind layer 0; layer 2 sees the first application only.
  const shared = applications([0, []], [1, []], [2, [1]], [1, [0]]);
  expect(schedule(shared)).toEqual({ passOf: [1, 2, 3, 2], passes: 3 });
});

test('dependences through another application count, in any order of layers', () => {
  // 2 depends on 1 (one application), whose other application depends on 0.
  const through = applications([1, []], [2, [0]], [0, []], [1, [2]], [3, [0, 1]]);
  expect(schedule(through)).toEqual({ passOf: [2, 3, 1, 2, 4], passes: 4 });
});

test('a layer that is applied to its own output is measured application by application', () => {
  const chained = applications([0, []], [0, [0]], [0, [0, 1]], [1, [0, 1, 2]], [2, []]);
  expect(schedule(chained)).toEqual({ passOf: [1, 2, 3, 4, 1], passes: 4 });
});

test('layers in a circle are measured in turn, and what follows waits for all of them', () => {
  const circle = applications([0, []], [1, [0]], [0, [0, 1]], [1, [0, 1, 2]], [2, [0]]);
  expect(schedule(circle)).toEqual({ passOf: [1, 2, 3, 4, 5], passes: 5 });
});

test('no application takes no pass', () => {
  expect(schedule([])).toEqual({ passOf: [], passes: 0 });
});
