import { expect, test } from 'vitest';
import { experiments } from '../../experiments/index.ts';
import { readResults } from '../../runner/result-files.ts';
import { PAPER_FINDINGS } from './findings.ts';
import { renderSummary } from './summary.ts';

const reported = await readResults(experiments);

test('there are ten findings, each with a line, a heading, both sides and its chart', () => {
  const page = renderSummary(reported);
  expect(PAPER_FINDINGS).toHaveLength(10);
  PAPER_FINDINGS.forEach(({ title, digits, photographs }, i) => {
    expect(page).toContain(`### ${i + 1}. ${title}`);
    for (const { experiment } of photographs === undefined ? [digits] : [digits, photographs]) {
      expect(page).toContain(`(#${experiment})`);
      const wasRun = reported.some(([{ name }, result]) => name === experiment && result !== undefined);
      expect(page.includes(`results/${experiment}.svg`)).toBe(wasRun);
    }
  });
});

test('what was not run is neither held nor refuted', () => {
  const page = renderSummary(reported.map(([experiment]) => [experiment, undefined] as const));
  expect(page).not.toMatch(/[✔✘] (?!holds|does)/);
  expect(page.match(/\| not run \|/g)).toHaveLength(20);
  expect(page).toContain('**Digits:** not run ([nbs-sweep](#nbs-sweep)).');
});

test('a claim that was renamed is noticed', () => {
  const [first, ...rest] = reported;
  const renamed = { ...first![1]!, claims: [{ claim: 'Something else.', measured: '1', holds: true }] };
  expect(() => renderSummary([[first![0], renamed], ...rest])).toThrow(
    "summary: ema-vs-precise has no claim 'PreciseBN is better than EMA'",
  );
  expect(() => renderSummary(rest)).toThrow("summary: no experiment 'ema-vs-precise'");
});
