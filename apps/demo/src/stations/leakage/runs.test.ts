import { expect, test } from 'vitest';
import { changesOf, type LeakRun, nameOf } from './runs.ts';
import type { PointEvent, Scheme } from './settings.ts';

const run = (...schemes: Scheme[]): LeakRun => ({
  points: schemes.map(
    (scheme, at): PointEvent => ({
      kind: 'point',
      step: 8 * (at + 1),
      loss: 1,
      scheme,
      errors: { training: 0.5, miniBatch: 0.4, population: 0.3 },
    }),
  ),
});

test('a run is named by its schemes, and marked where they change', () => {
  expect(nameOf(run())).toBe('');
  expect(nameOf(run('apart', 'apart'))).toBe('None');
  expect(changesOf(run('ghost', 'ghost'))).toEqual([]);
  const changed = run('apart', 'ghost', 'ghost', 'apart');
  expect(nameOf(changed)).toBe('None → Ghost → None');
  expect(changesOf(changed)).toEqual([
    { step: 16, text: 'Ghost' },
    { step: 32, text: 'None' },
  ]);
});
