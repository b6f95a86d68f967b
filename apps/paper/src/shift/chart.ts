// The experiment on shifted domains as a table and as charts.
import * as Plot from '@observablehq/plot';
import type { Table } from '../experiment.ts';
import { legend } from '../render/legend.ts';
import { stackSvg } from '../render/stack.ts';
import { renderSvg } from '../render/svg.ts';
import { type SeriesPoint, seriesChart } from '../series.ts';
import { percentSpread } from '../summary.ts';
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
    const perSeed = bySeed(rows.filter(keep));
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

/** Above: the error by samples, over all corruptions. Below: each corruption. */
export function shiftChart(rows: readonly Row[], ariaLabel: string): string {
  return stackSvg([samplesChart(rows, ariaLabel), corruptionsChart(rows, `${ariaLabel}, each corruption`)]);
}

function samplesChart(rows: readonly Row[], ariaLabel: string): string {
  const samples = Object.keys(rows[0]!.recomputed).map(Number);
  const strong = bySeed(rows.filter(isStrong));
  const clean = bySeed(rows.filter((row) => isClean(row) && row.draw === 0));
  const series = (name: string, read: (n: number) => number[]): SeriesPoint[] =>
    samples.map((x) => ({ series: name, x, values: read(x) }));
  return seriesChart(
    [
      ...series('source statistics', () => strong.map((row) => row.source)),
      ...series('recomputed', (n) => strong.map((row) => row.recomputed[n]!)),
      ...series('with prior', (n) => strong.map((row) => row.withPrior[n]!)),
      ...series('mini-batch statistics', () => strong.map((row) => row.miniBatch)),
      ...series('clean, recomputed', (n) => clean.map((row) => row.recomputed[n]!)),
      ...series('clean, with prior', (n) => clean.map((row) => row.withPrior[n]!)),
    ],
    {
      ariaLabel,
      x: { type: 'log', base: 2, label: 'target samples', ticks: samples, tickFormat: 'd' },
      y: { type: 'log', label: `error (%), corruptions at severity ${STRONG} and above` },
      dashed: ['source statistics', 'mini-batch statistics'],
    },
  );
}

function corruptionsChart(rows: readonly Row[], ariaLabel: string): string {
  const [few, enough] = [Object.keys(rows[0]!.withPrior).map(Number)[0]!, 64];
  const kinds = {
    'source statistics': (shift: ReturnType<typeof averageOf>) => shift.source,
    [`${few} samples, with prior`]: (shift) => shift.withPrior[few]!,
    [`${enough} samples, with prior`]: (shift) => shift.withPrior[enough]!,
  } satisfies Record<string, (shift: ReturnType<typeof averageOf>) => number>;
  const shifts = shiftsOf(rows, isStrong).sort((a, b) => b.source - a.source);
  const points = shifts.flatMap((shift) =>
    Object.entries(kinds).map(([kind, read]) => ({ ...shift, kind, error: 100 * read(shift) })),
  );
  return renderSvg({
    ariaLabel,
    width: 860,
    height: 340,
    marginLeft: 110,
    marginRight: 190,
    marginBottom: 44,
    inset: 8,
    x: { label: `error (%), severity ${STRONG} and above`, labelAnchor: 'center', grid: true, zero: true },
    y: { label: null, domain: shifts.map(({ corruption }) => corruption) },
    color: { legend: false, scheme: 'observable10', domain: Object.keys(kinds) },
    marks: [
      Plot.ruleY(
        shifts.map((shift) => ({
          y: shift.corruption,
          x1: 100 * shift.source,
          x2: 100 * shift.withPrior[enough]!,
        })),
        { y: 'y', x1: 'x1', x2: 'x2', stroke: '#8c959f' },
      ),
      Plot.dot(points, { x: 'error', y: 'corruption', fill: 'kind', r: 4 }),
      ...legend(Object.keys(kinds)),
    ],
  });
}

/** One average per seed. */
function bySeed(rows: readonly Row[]) {
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  return seeds.map((seed) => averageOf(rows.filter((row) => row.seed === seed)));
}
