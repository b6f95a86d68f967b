// The experiment on shifted domains as a table and as figures.

import type { Table } from '@rebatch/report';
import type { Figure } from '@rebatch/report/figures';
import { bySeed } from '../../../rows/rows.ts';
import { type SeriesPoint, seriesFigure } from '../../../rows/series.ts';
import { percentSpread } from '../../../rows/summary.ts';
import { averageOf, isClean, isStrong, type Row, STRONG, shiftsOf } from './rows.ts';

/** A line per corruption: errors in percent at the strong severities, mean and spread over the seeds. */
export function shiftTable(rows: readonly Row[]): Table {
  const samples = Object.keys(rows[0]!.recomputed).map(Number);
  const shown = [...new Set([samples[0]!, ...samples.filter((n) => n === 64), samples.at(-1)!])];
  const columns: [string, (row: ReturnType<typeof averageOf>) => number][] = [
    ['source', (row) => row.source],
    ['mini-batch', (row) => row.miniBatch],
    ...shown.map((n): (typeof columns)[number] => [`${n} samples`, (row) => row.recomputed[n]!]),
    ...shown.map((n): (typeof columns)[number] => [`${n}, prior`, (row) => row.withPrior[n]!]),
  ];
  const line = (name: string, keep: (row: Row) => boolean) => {
    const perSeed = averagesBySeed(rows.filter(keep));
    return [name, ...columns.map(([, read]) => percentSpread(perSeed.map(read)))];
  };
  const names = shiftsOf(rows, isStrong).map(({ corruption }) => corruption);
  return {
    head: [`error %, severity ≥ ${STRONG}`, ...columns.map(([name]) => name)],
    body: [
      line('none (clean)', (row) => isClean(row) && row.draw === 0),
      ...names.map((name) => line(name, (row) => isStrong(row) && row.corruption === name)),
      line('all', isStrong),
    ],
  };
}

/** First the error by samples, over all corruptions, then each corruption. */
export function shiftFigures(rows: readonly Row[]): Figure[] {
  return [samplesFigure(rows), corruptionsFigure(rows)];
}

function samplesFigure(rows: readonly Row[]): Figure {
  const samples = Object.keys(rows[0]!.recomputed).map(Number);
  const strong = averagesBySeed(rows.filter(isStrong));
  const clean = averagesBySeed(rows.filter((row) => isClean(row) && row.draw === 0));
  const series = (name: string, read: (n: number) => number[]): SeriesPoint[] =>
    samples.map((x) => ({ series: name, x, values: read(x) }));
  return seriesFigure(
    [
      ...series('source statistics', () => strong.map((row) => row.source)),
      ...series('recomputed', (n) => strong.map((row) => row.recomputed[n]!)),
      ...series('with prior', (n) => strong.map((row) => row.withPrior[n]!)),
      ...series('mini-batch statistics', () => strong.map((row) => row.miniBatch)),
      ...series('clean, recomputed', (n) => clean.map((row) => row.recomputed[n]!)),
      ...series('clean, with prior', (n) => clean.map((row) => row.withPrior[n]!)),
    ],
    {
      title: 'all corruptions',
      x: { type: 'log', base: 2, label: 'target samples', ticks: samples, tickFormat: 'd' },
      y: { type: 'log', label: `error (%), corruptions at severity ${STRONG} and above` },
      dashed: ['source statistics', 'mini-batch statistics'],
    },
  );
}

function corruptionsFigure(rows: readonly Row[]): Figure {
  const [few, enough] = [Object.keys(rows[0]!.withPrior).map(Number)[0]!, 64];
  const kinds = {
    'source statistics': (shift: ReturnType<typeof averageOf>) => shift.source,
    [`${few} samples, with prior`]: (shift) => shift.withPrior[few]!,
    [`${enough} samples, with prior`]: (shift) => shift.withPrior[enough]!,
  } satisfies Record<string, (shift: ReturnType<typeof averageOf>) => number>;
  const shifts = shiftsOf(rows, isStrong).sort((a, b) => b.source - a.source);
  const points = shifts.flatMap((shift) =>
    Object.entries(kinds).map(([name, read]) => ({
      condition: shift.corruption,
      name,
      value: 100 * read(shift),
    })),
  );
  return {
    kind: 'dots',
    title: 'each corruption',
    conditions: shifts.map(({ corruption }) => corruption),
    names: Object.keys(kinds),
    points,
    links: shifts.map(({ corruption, source, withPrior }) => ({
      condition: corruption,
      x1: 100 * source,
      x2: 100 * withPrior[enough]!,
    })),
    x: { label: `error (%), severity ${STRONG} and above`, zero: true },
    file: { height: 340, marginLeft: 110 },
  };
}

/** One average per seed. */
const averagesBySeed = (rows: readonly Row[]) => bySeed(rows).map((own) => averageOf(own));
