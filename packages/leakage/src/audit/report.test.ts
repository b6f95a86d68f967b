import { expect, test } from 'vitest';
import { formatLeakage } from '../index.ts';
import { adviseOn } from './report.ts';

/** As of a regression, whose losses may be large. */
function reportOf(own: number, strangers: number, pValue: number) {
  const report = {
    samples: 256,
    leftOut: 0,
    groups: 8,
    groupSize: 32,
    loss: { own, strangers: { mean: strangers, deviation: 10 }, population: 2000 },
    effect: strangers - own,
    pValue,
    permutations: 99,
    level: 0.01,
    leaks: pValue <= 0.01,
    layers: [{ name: 'bn', effect: 100, share: 1 }],
  };
  return { ...report, advice: adviseOn(report) };
}

test('numbers of any size are shown to three digits', () => {
  const text = formatLeakage(reportOf(120, 1234.5, 0.01));
  expect(text).toContain('loss with the own group 120\n');
  expect(text).toContain('loss with strangers     1230 ±10\n');
  expect(text).toContain('loss by population      2000\n');
  expect(text).toContain('  bn: 100 (100%)');
  expect(text).toContain(
    "a sample's loss is 120, with strangers 1230, lower by 1110 than chance explains (p = 0.01",
  );
  expect(formatLeakage(reportOf(0.000123456, 0, 1))).toContain('loss with the own group 0.000123\n');
});

test('where there is no leak, nothing is advised against', () => {
  const { advice } = reportOf(100, 90, 0.4);
  expect(advice).toHaveLength(1);
  expect(advice[0]).toMatch(/^No leak found.*loss is 100, with strangers 90 \(p = 0.4, level 0.01\)/);
});
