// The rows of `emoji-styles` as a table and as figures.

import type { Table } from '@rebatch/report';
import type { Figure } from '@rebatch/report/figures';
import { ascending, unique } from '../../../rows/rows.ts';
import { type SeriesPoint, seriesFigure, seriesOf } from '../../../rows/series.ts';
import { deviation, mean, percentSpread } from '../../../rows/summary.ts';
import { STYLES, type Style } from './packages.ts';
import type { BothStylesRow, OneStyleRow, Row } from './rows.ts';

/** A line per way to train and to normalize, a column per style that is tested. */
export function emojiTable(rows: readonly Row[]): Table {
  const lines = new Map<string, { head: string[]; errors: Map<Style, number[]> }>();
  for (const row of rows) {
    if (row.part !== 'one style' && row.part !== 'both styles') continue;
    const head = row.part === 'one style' ? [row.trained, adaptation(row)] : ['both', sharing(row)];
    const key = JSON.stringify(head);
    const line = lines.get(key) ?? { head, errors: new Map() };
    lines.set(key, line);
    line.errors.set(row.tested, [...(line.errors.get(row.tested) ?? []), row.error]);
  }
  const guesses = rows.filter((row) => row.part === 'baseline').map(({ error }) => error);
  return {
    head: ['trained on', 'normalized by', ...STYLES.map((style) => `error % on ${style}`)],
    body: [
      ['nothing', 'the most frequent category', ...STYLES.map(() => percentSpread(guesses))],
      ...[...lines.values()].map(({ head, errors }) => [
        ...head,
        ...STYLES.map((style) => (errors.has(style) ? percentSpread(errors.get(style)!) : '')),
      ]),
    ],
  };
}

function adaptation({ samples, prior }: OneStyleRow): string {
  if (samples === 0) return 'the statistics of the style of training';
  return `adapted to ${samples} pictures${prior > 0 ? `, prior ${prior}` : ''}`;
}

function sharing({ train, population, affine }: BothStylesRow): string {
  return `SGD ${train}, population ${population}, affine ${affine}`;
}

/** First, what adapting wins of what the other style costs; then, what two styles can share. */
export function emojiFigures(rows: readonly Row[]): Figure[] {
  return [
    transferFigure(rows.filter((row) => row.part === 'one style')),
    sharingFigure(rows.filter((row) => row.part === 'both styles')),
  ];
}

function transferFigure(rows: readonly OneStyleRow[]): Figure {
  const numbers = ascending(rows.map(({ samples }) => samples));
  const priors = unique(rows.filter(({ samples }) => samples > 0).map(({ prior }) => prior));
  const own: string[] = [];
  const points: SeriesPoint[] = STYLES.flatMap((trained) => {
    const of = rows.filter((row) => row.trained === trained);
    const [at] = of.filter((row) => row.tested !== trained).map((row) => row.tested);
    const unchanged = of.filter((row) => row.tested === trained);
    const name = `${trained} to itself`;
    own.push(name);
    return [
      ...priors.flatMap((prior) =>
        seriesOf(
          // Not adapting is where the lines of all priors begin.
          of.filter((row) => row.tested !== trained && (row.samples === 0 || row.prior === prior)),
          {
            series: () => `${trained} to ${at}${prior > 0 ? `, prior ${prior}` : ''}`,
            x: (row) => row.samples,
            value: (row) => row.error,
          },
        ),
      ),
      ...numbers.map((x) => ({ series: name, x, values: unchanged.map((row) => row.error) })),
    ];
  });
  return seriesFigure(points, {
    title: 'trained on one style',
    x: {
      type: 'point',
      label: 'unlabeled pictures of the style tested, for the statistics',
      tickFormat: 'd',
    },
    y: { label: 'error (%)' },
    dashed: own,
    height: 360,
  });
}

function sharingFigure(rows: readonly BothStylesRow[]): Figure {
  const names = STYLES.map((style) => `tested on ${style}`);
  const conditions = unique(rows.map(sharing));
  const points = conditions.flatMap((condition) =>
    STYLES.map((style, i) => {
      const errors = rows
        .filter((row) => sharing(row) === condition && row.tested === style)
        .map((row) => 100 * row.error);
      const [center, spread] = [mean(errors), deviation(errors)];
      return { condition, name: names[i]!, value: center, low: center - spread, high: center + spread };
    }),
  );
  return {
    kind: 'dots',
    title: 'trained on both styles',
    conditions,
    names,
    points,
    links: [],
    x: { label: 'error (%)' },
    file: { height: 60 + 40 * conditions.length, marginLeft: 380 },
  };
}
