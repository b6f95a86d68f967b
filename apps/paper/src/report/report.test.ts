import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { experiments } from '../experiments/index.ts';
import { readResults } from '../runner/result-files.ts';
import { combineSeeds } from '../runner/run.ts';
import { fakeExperiment } from '../testing/fake-experiment.ts';
import { renderReport } from './report.ts';
import { renderSummary } from './summary/summary.ts';

test('RESULTS.md is what the committed results say (else run: pnpm paper --report)', async () => {
  const reported = await readResults(experiments);
  const file = await readFile(new URL('../../RESULTS.md', import.meta.url), 'utf8');
  expect(file).toBe(renderReport(reported, renderSummary(reported)));
});

test('each experiment has the paper’s finding, verdicts with reasons, the chart, the table and the settings', () => {
  const experiment = fakeExperiment('fake', { seeds: [4], factor: -2 });
  const rows = [{ seed: 4, value: -8 }];
  const seeds = [{ backend: 'none', rows, seconds: 7.4 }];
  const result = {
    ...combineSeeds(experiment, { quick: false }, seeds),
    claims: [
      { claim: 'One.', measured: '1', holds: true },
      { claim: 'Two.', measured: '2', holds: false, why: 'It is 2.' },
    ],
  };
  const report = renderReport([[experiment, result]], 'First of all.');
  expect(report).toContain('\n\nFirst of all.\n\n## All experiments');
  expect(report).toContain('| [fake](#fake) | 0. Nothing | 1 of 2 |');
  expect(report).toContain('**The paper:** Seeds have multiples.');
  expect(report).toContain('- ✔ **Holds.** One.\n  Measured: 1.');
  expect(report).toContain('- ✘ **Does not hold.** Two.\n  Measured: 2.\n  Why: It is 2.');
  expect(report).toContain('![multiples of the seed](results/fake.svg)');
  // A bar in a cell would start another one.
  expect(report).toContain('| seed | value |\n| :-- | :-- |\n| 4 | -8\\| |');
  expect(report).toContain('- factor: `-2`');
});

test('an experiment that was not run says so', () => {
  const experiment = fakeExperiment('fake', { seeds: [1], factor: 1 });
  const report = renderReport([[experiment, undefined]], '');
  expect(report).toContain('| [fake](#fake) | 0. Nothing | not run |');
  expect(report).toContain('Not run: `pnpm paper fake` does.');
});
