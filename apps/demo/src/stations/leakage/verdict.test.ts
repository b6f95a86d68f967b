import type { LeakageReport } from '@rebatch/leakage';
import { expect, test } from 'vitest';
import { verdictOf } from './verdict.ts';

const report = (changes: Partial<LeakageReport>): LeakageReport => ({
  samples: 560,
  leftOut: 80,
  groups: 10,
  groupSize: 16,
  loss: { own: 1.151, strangers: { mean: 2.993, deviation: 0.07 }, population: 2.285 },
  effect: 1.84,
  pValue: 0.01,
  permutations: 99,
  level: 0.01,
  leaks: true,
  layers: [],
  advice: [],
  ...changes,
});

test('says what was found, and how likely chance is to do as well', () => {
  expect(verdictOf(undefined).kind).toBe('plain');
  const leak = verdictOf(report({}));
  expect(leak.kind).toBe('bad');
  expect(leak.text).toMatch(
    /loss is 1\.15, among strangers 2\.99: none of 99 random groupings .*\(p = 0\.01\)/,
  );
  expect(verdictOf(report({ pValue: 0.02, level: 0.05 })).text).toMatch(/: 1 of 99 random groupings/);
});

test('where nothing leaks, says whether the own class does harm', () => {
  const loss = (own: number, mean: number) => ({
    own,
    strangers: { mean, deviation: 0.07 },
    population: 0.4,
  });
  const none = verdictOf(report({ leaks: false, pValue: 1, loss: loss(0.44, 0.42) }));
  expect(none.kind).toBe('good');
  expect(none.text).toBe(
    'Neighbours of its own class do not help a digit: loss 0.44 with them, 0.42 among strangers (p = 1.00).',
  );
  const harmed = verdictOf(report({ leaks: false, pValue: 1, loss: loss(6.27, 0.42) }));
  expect(harmed.kind).toBe('good');
  expect(harmed.text).toMatch(
    /they get in the way: loss 6\.27 with them, 0\.42 among strangers .* trained on mixed groups.* That is no leak/,
  );
});
