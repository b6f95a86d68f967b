import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { experiments } from './experiments/index.ts';
import { drawFigure, type Figure, type Look, pageHeight } from './figures/index.ts';
import { readFindings } from './findings.ts';

const findings = await readFindings();

test('every experiment is there, in the paper’s order, as plain JSON', () => {
  expect(findings.map(({ name }) => name)).toEqual(experiments.map(({ name }) => name));
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
