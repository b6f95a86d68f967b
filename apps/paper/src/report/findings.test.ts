import { readFile } from 'node:fs/promises';
import * as Plot from '@observablehq/plot';
import { FINDINGS_FILE, readFindings, renderFindings } from '@rebatch/findings/file';
import { drawFigure, type Figure, type Look, pageHeight } from '@rebatch/report/figures';
import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { experiments } from '../experiments/index.ts';
import { readResults } from '../runner/result-files.ts';
import { fakeExperiment } from '../testing/fake-experiment.ts';
import { resultOf } from '../testing/result-of.ts';
import { findingOf } from './findings.ts';

const findings = await readFindings();

test('the committed findings are what the committed results say (else run: pnpm paper --report)', async () => {
  const run = (await readResults(experiments)).flatMap(([e, result]) =>
    result ? [findingOf(e, result)] : [],
  );
  expect(await readFile(FINDINGS_FILE, 'utf8')).toBe(renderFindings(run));
});

test('a finding names the section’s number and its title', () => {
  const experiment = fakeExperiment('fake', { seeds: [1], factor: 2 });
  const result = resultOf(experiment, [{ seed: 1, value: 2 }]);
  expect(findingOf(experiment, result)).toMatchObject({
    section: '0',
    title: 'Nothing',
    table: { head: ['seed', 'value'] },
  });
  expect(() => findingOf(experiment, { ...result, section: 'Nothing' })).toThrow(
    "fake: expected a section such as '3. Title'",
  );
});

test('every experiment that was run is there, in the paper’s order, as plain JSON', async () => {
  const run = (await readResults(experiments)).filter(([, result]) => result !== undefined);
  expect(findings.map(({ name }) => name)).toEqual(run.map(([{ name }]) => name));
  expect(JSON.parse(JSON.stringify(findings))).toEqual(findings);
  const sections = findings.map(({ section }) => Number(section));
  expect(sections).toEqual([...sections].sort());
});

const PAGE: Look = {
  width: 320,
  color: (domain) => ({ domain: [...domain], range: domain.map((_, i) => `var(--color-${i})`) }),
  ink: 'var(--ink)',
  faint: 'var(--line-strong)',
  frame: 'var(--line)',
  paper: 'var(--surface)',
  alone: false,
};

test.each(
  findings.flatMap(({ name, figures }) => figures.map((figure, i) => [`${name} ${i}`, figure] as const)),
)('%s can be drawn on a narrow page, each name in its colour', (_, figure: Figure) => {
  const { document } = new JSDOM('').window;
  const options = drawFigure(Plot, figure, PAGE);
  const svg = Plot.plot({ ...options, document, figure: false }).outerHTML;
  expect(svg).toContain('width="320"');
  expect(svg).not.toContain('NaN');
  figure.names.forEach((name, i) => {
    expect(svg, name).toContain(`var(--color-${i})`);
  });
  if (figure.kind === 'series') return;
  for (const condition of figure.conditions) expect(svg).toContain(`>${condition}</text>`);
  expect(options.height).toBe(pageHeight(figure));
});
