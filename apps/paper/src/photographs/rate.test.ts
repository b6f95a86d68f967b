import { expect, test } from 'vitest';
import { rateOf, stepsOfCycle } from './rate.ts';

const rates = (settings: Parameters<typeof rateOf>[0], steps: number) =>
  Array.from({ length: steps }, (_, step) => rateOf(settings, step, steps));

test('a cycle over all steps, or one rate throughout', () => {
  const cycle = rates({ peak: 2 }, 10);
  // Along half a cosine from a 25th of the peak up to it in 3 steps, and down towards 0 in the 7 that are left.
  expect(cycle[0]).toBeCloseTo(0.08);
  expect(cycle[3]).toBeCloseTo(2);
  expect(cycle[9]).toBeCloseTo(1 + Math.cos((Math.PI * 6) / 7));
  expect(rates({ peak: 2, schedule: 'constant' }, 3)).toEqual([2, 2, 2]);
});

test('a share of the steps after the cycle, which ends before them', () => {
  const afterwards = { share: 1 / 5, rate: 0.01 };
  const all = rates({ peak: 2, afterwards }, 10);
  expect(all.slice(0, 8)).toEqual(rates({ peak: 2 }, 8));
  expect(all.slice(8)).toEqual([0.01, 0.01]);
  expect(stepsOfCycle({ afterwards }, 734)).toBe(587);
  expect(stepsOfCycle({}, 734)).toBe(734);
});
