// Corrupted photographs as a table and as figures.

import type { Table } from '@rebatch/report';
import type { Figure } from '@rebatch/report/figures';
import { percentInterval } from '../../../rows/interval.ts';
import { type SeriesPoint, seriesFigure } from '../../../rows/series.ts';
import { mean } from '../../../rows/summary.ts';
import { corruptionsOf, isClean, isStrong, perSeed, type Row, STRONG, samplesOf, WAYS } from './rows.ts';

const NAMES = { plain: 'recomputed', prior: 'with prior', reference: 'to a reference' } as const;
const SOURCE = 'source statistics';
const MINI_BATCH = 'mini-batch statistics';

/** A line per corruption: errors in percent at the strong severities, with the intervals of the means over the seeds. */
export function shiftTable(rows: readonly Row[]): Table {
  const samples = samplesOf(rows);
  const shown = [samples[0]!, ...samples.filter((n) => n === 64), samples.at(-1)!];
  const columns: (readonly [string, (row: Row) => number])[] = [
    ['source', (row) => row.source],
    ['mini-batch', (row) => row.miniBatch],
    ...WAYS.flatMap((way) => shown.map((n) => [`${NAMES[way]}, ${n}`, (row: Row) => row[way][n]!] as const)),
  ];
  const line = (name: string, keep: (row: Row) => boolean) => [
    name,
    ...columns.map(([, read]) => percentInterval(perSeed(rows, keep, read))),
  ];
  return {
    head: [`error %, severity ≥ ${STRONG}`, ...columns.map(([name]) => name)],
    body: [
      line('none (clean)', isClean),
      ...corruptionsOf(rows).map((name) => line(name, (row) => isStrong(row) && row.corruption === name)),
      line('all', isStrong),
    ],
  };
}

/** First the error by samples, over all corruptions, then each corruption. */
export function shiftFigures(rows: readonly Row[]): Figure[] {
  return [samplesFigure(rows), corruptionsFigure(rows)];
}

function samplesFigure(rows: readonly Row[]): Figure {
  const samples = samplesOf(rows);
  const series = (name: string, read: (row: Row, n: number) => number): SeriesPoint[] =>
    samples.map((x) => ({ series: name, x, values: perSeed(rows, isStrong, (row) => read(row, x)) }));
  return seriesFigure(
    [
      ...series(SOURCE, (row) => row.source),
      ...WAYS.flatMap((way) => series(NAMES[way], (row, n) => row[way][n]!)),
      ...series(MINI_BATCH, (row) => row.miniBatch),
    ],
    {
      title: 'all corruptions',
      x: { type: 'log', base: 2, label: 'target photographs', ticks: samples, tickFormat: 'd' },
      y: { label: `error (%), corruptions at severity ${STRONG} and above` },
      dashed: [SOURCE, MINI_BATCH],
    },
  );
}

function corruptionsFigure(rows: readonly Row[]): Figure {
  const enough = samplesOf(rows).find((n) => n >= 64)!;
  const kinds = {
    [SOURCE]: (row: Row) => row.source,
    [`${enough} photographs, with prior`]: (row: Row) => row.prior[enough]!,
  };
  const average = (corruption: string, read: (row: Row) => number) =>
    100 * mean(perSeed(rows, (row) => isStrong(row) && row.corruption === corruption, read));
  const names = corruptionsOf(rows).sort(
    (a, b) => average(b, (row) => row.source) - average(a, (row) => row.source),
  );
  return {
    kind: 'dots',
    title: 'each corruption',
    conditions: names,
    names: Object.keys(kinds),
    points: names.flatMap((condition) =>
      Object.entries(kinds).map(([name, read]) => ({ condition, name, value: average(condition, read) })),
    ),
    links: names.map((condition) => ({
      condition,
      x1: average(condition, (row) => row.source),
      x2: average(condition, (row) => row.prior[enough]!),
    })),
    x: { label: `error (%), severity ${STRONG} and above`, zero: true },
    file: { height: 380, marginLeft: 110 },
  };
}
