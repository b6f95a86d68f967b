import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { experiments } from '../experiments/index.ts';
import { readResult } from '../results.ts';
import { combineSeeds } from '../run.ts';
import { fakeExperiment } from '../testing/fake-experiment.ts';
import { renderReport } from './report.ts';

test('RESULTS.md is what the committed results say (else run: pnpm paper --report)', async () => {
  const reported = await Promise.all(experiments.map(async (e) => [e, await readResult(e.name)] as const));
  const file = await readFile(new URL('../../RESULTS.md', import.meta.url), 'utf8');
  expect(file).toBe(renderReport(reported));
});

test('each experiment has the paper’s finding, verdicts with reasons, the chart, the table and the settings', () => {
  const experiment = fakeExperiment('fake', { seeds: [4], factor: -2 });
  const rows = [{ seed: 4, value: -8 }];
  const seeds = [{ backend: 'none', rows, seconds: 7.4 }];
  const result = {
    ...combineSeeds(experiment, false, seeds),
    claims: [
      { claim: 'One.', measured: '1', holds: true },
      { claim: 'Two.', measured: '2', holds: false, why: 'It is 2.' },
    ],
  };
  const report = renderReport([[experiment, result]]);
  expect(report).toContain('| [fake](#fake) | 0. Nothing | 1 of 2 |');
  expect(report).toContain('**The paper:** Seeds have multiples.');
  expect(report).toContain('- ✔ **Holds.** One.\n  Measured: 1.');
  expect(report).toContain('- ✘ **Does not hold.** Two.\n  Measured: 2.\n  Why: It is 2.');
  expect(report).toContain('![multiples of the seed](results/fake.svg)');
  // A bar in a cell would start another one.
  expect(report).toContain('| seed | value |\n| :-- | :-- |\n| 4 | -8\\| |');
  expect(report).toContain('- factor: `-2`');
});
