import { expect, test } from 'vitest';
import { classesIn, groupsOf, summaryOf } from './groups.ts';
import { BATCH, DEVICES, PER_DEVICE, SCHEMES } from './settings.ts';

/** Of each device's digits one class, as training gets them. */
const labels = Array.from({ length: BATCH }, (_, position) => Math.floor(position / PER_DEVICE));

test.each(SCHEMES)('$name: every digit is in one group', ({ name }) => {
  const groups = groupsOf(name);
  expect(groups.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: BATCH }, (_, at) => at));
  expect(new Set(groups.map(({ length }) => length))).toEqual(
    new Set([name === 'sync' ? BATCH : PER_DEVICE]),
  );
});

test('only apart is a group of one class', () => {
  const classes = (scheme: Parameters<typeof groupsOf>[0]) =>
    groupsOf(scheme).map((group) => classesIn(group, labels));
  expect(classes('apart')).toEqual(Array(DEVICES).fill(1));
  expect(classes('ghost')).toEqual(Array(DEVICES).fill(DEVICES));
  expect(classes('sync')).toEqual([DEVICES]);
  for (const count of classes('shuffle')) expect(count).toBeGreaterThan(3);
});

test('the groups in words', () => {
  expect(summaryOf(groupsOf('apart'), labels)).toBe('1 class in each of 8 groups');
  expect(summaryOf(groupsOf('sync'), labels)).toBe('8 classes in one group');
  expect(summaryOf([[0], [0, 16], [0, 16, 32]], labels)).toBe('1 to 3 classes in each of 3 groups');
});
