// A bench's ratios as a chart: medians with their spread, on a log scale, and what was promised.

import * as Plot from '@observablehq/plot';
import { renderSvg } from '@rebatch/report';
import { type Row, verdictOf } from './row.ts';

const COLORS = {
  met: '#1a7f37',
  'no promise': '#0969da',
  'not met': '#cf222e',
  'not measured': '#6e7781',
} as const;

const WIDTH = 960;
const ROW_HEIGHT = 26;
/** Of the labels' font, on average. */
const LETTER_WIDTH = 6.7;

/** The chart, or nothing where no row was measured. */
export function ratioChart(rows: readonly Row[], ariaLabel: string): string | undefined {
  const labels = labelsOf(rows);
  const points = rows.map((row, i) => {
    const { one, measured } = row;
    const [ratio, low, high] = measured ? [measured.line.ratio, ...measured.line.spread] : [];
    return { label: labels[i]!, ratio, low, high, target: one.target, verdict: verdictOf(row) };
  });
  const drawn = points.filter(({ ratio }) => ratio !== undefined);
  if (drawn.length === 0) return undefined;
  const values = [1, ...points.flatMap(({ low, high, target }) => [low, high, target])];
  const known = values.filter((value) => value !== undefined);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const domain = [least / 1.15, most * 1.15] as const;
  const marginLeft = Math.ceil(Math.max(...labels.map(({ length }) => length)) * LETTER_WIDTH) + 20;
  const place = { y: 'label' } as const;
  return renderSvg({
    ariaLabel,
    width: WIDTH,
    height: rows.length * ROW_HEIGHT + 90,
    marginLeft,
    marginRight: 60,
    marginTop: 36,
    marginBottom: 44,
    x: {
      type: 'log',
      domain,
      label: 'time of the peer / time of ours (log scale)',
      labelAnchor: 'center',
      ticks: ticks(...domain),
      tickFormat: (value: number) => `${value}x`,
      grid: true,
    },
    y: { domain: labels, label: null, tickSize: 0 },
    color: { domain: Object.keys(COLORS), range: Object.values(COLORS) },
    marks: [
      Plot.ruleX([1], { stroke: '#1f2328', strokeWidth: 1.5 }),
      Plot.ruleY(drawn, {
        ...place,
        x1: 'low',
        x2: 'high',
        stroke: 'verdict',
        strokeWidth: 3,
        strokeOpacity: 0.45,
      }),
      Plot.tickX(
        points.filter(({ target }) => target !== undefined),
        { ...place, x: 'target', stroke: '#1f2328', strokeWidth: 2, insetTop: 3, insetBottom: 3 },
      ),
      Plot.dot(drawn, { ...place, x: 'ratio', fill: 'verdict', r: 5 }),
      Plot.text(
        points.filter(({ ratio }) => ratio === undefined),
        {
          ...place,
          x: () => 1,
          text: () => 'not measured',
          fill: COLORS['not measured'],
          textAnchor: 'start',
          dx: 8,
        },
      ),
      ...key(8 - marginLeft),
    ],
  });
}

/** What the marks mean, above the plot, from so many pixels beside its left edge. */
function key(left: number): Plot.Markish[] {
  const entries = [
    { text: '● median, with its lowest and highest pair', color: COLORS['no promise'] },
    { text: '● promise met', color: COLORS.met },
    { text: '● promise not met', color: COLORS['not met'] },
    { text: '| promised', color: '#1f2328' },
  ];
  let dx = left;
  return entries.map(({ text, color }) => {
    const mark = Plot.text([text], {
      frameAnchor: 'top-left',
      dx,
      dy: -24,
      fill: color,
      text: (d) => d,
    });
    dx += text.length * LETTER_WIDTH + 16;
    return mark;
  });
}

/** What tells the rows apart; a number where that isn't enough. */
function labelsOf(rows: readonly Row[]): string[] {
  const parts = ({ one }: Row) => ({
    case: one.case,
    backend: one.backend,
    shape: one.shape,
    peer: one.peer,
  });
  const names = ['case', 'backend', 'shape', 'peer'] as const;
  const varying = names.filter((name) => new Set(rows.map((row) => parts(row)[name])).size > 1);
  const shown = varying.length === 0 ? (['case'] as const) : varying;
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const label = shown
      .map((name) => (name === 'peer' ? `vs ${parts(row).peer}` : parts(row)[name]))
      .join(', ');
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return count === 1 ? label : `${label} (${count})`;
  });
}

/** 1, 2 and 5 times the powers of ten, or powers of ten alone where those would be too many. */
function ticks(least: number, most: number): number[] {
  const decades = Math.log10(most / least);
  const steps = decades > 2 ? [1] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    for (const step of steps) all.push(Number((step * 10 ** power).toPrecision(1)));
  }
  return all.filter((tick) => tick >= least && tick <= most);
}
