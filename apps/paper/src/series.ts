// Rows of several seeds as series: a mean and a spread at each x. The tables and charts of most experiments.
import * as Plot from '@observablehq/plot';
import type { Table } from './experiment.ts';
import { legend } from './render/legend.ts';
import { renderSvg } from './render/svg.ts';
import { deviation, mean, percentSpread } from './summary.ts';

/** What the seeds gave at one x of one series. */
export interface SeriesPoint {
  readonly series: string;
  readonly x: number;
  /** One value per seed. */
  readonly values: readonly number[];
}

/** Collects the rows' values into points, series and x in the order in which they first appear. */
export function seriesOf<Row>(
  rows: readonly Row[],
  read: { series(row: Row): string; x(row: Row): number; value(row: Row): number },
): SeriesPoint[] {
  const points = new Map<string, { series: string; x: number; values: number[] }>();
  for (const row of rows) {
    const [series, x] = [read.series(row), read.x(row)];
    const key = JSON.stringify([series, x]);
    const point = points.get(key) ?? { series, x, values: [] };
    points.set(key, point);
    point.values.push(read.value(row));
  }
  return [...points.values()];
}

/** A line per x, a column per series; shares as percent unless `format` says otherwise. */
export function seriesTable(
  points: readonly SeriesPoint[],
  corner: string,
  format: (values: readonly number[]) => string = percentSpread,
): Table {
  const names = namesOf(points);
  return {
    head: [corner, ...names],
    body: [...new Set(points.map(({ x }) => x))].map((x) => [
      String(x),
      ...names.map((name) => {
        const point = points.find((p) => p.series === name && p.x === x);
        return point ? format(point.values) : '';
      }),
    ]),
  };
}

export interface SeriesChartOptions {
  readonly ariaLabel: string;
  readonly x: Plot.ScaleOptions;
  readonly y: Plot.ScaleOptions;
  /** By what the values are multiplied; default 100, shares as percent. */
  readonly scale?: number;
  /** Series to draw dashed: references. */
  readonly dashed?: readonly string[];
  readonly height?: number;
  readonly marginRight?: number;
}

/** The axis of experiments on the normalization batch size. */
export const NORMALIZATION_BATCH_AXIS: Plot.ScaleOptions = {
  type: 'log',
  base: 2,
  label: 'normalization batch (samples)',
  ticks: [2, 4, 8, 16, 64, 256],
  tickFormat: 'd',
};

/** For errors in percent: enough of them wherever the values lie. */
const LOG_TICKS = [0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50];

/** Lines through the means, with bars of one standard deviation over the seeds either way. */
export function seriesChart(points: readonly SeriesPoint[], options: SeriesChartOptions): string {
  const { ariaLabel, x, y, scale = 100, dashed = [], height = 400, marginRight = 190 } = options;
  const names = namesOf(points);
  const drawn = points.map(({ series, x: at, values }) => {
    const [center, spread] = [mean(values), deviation(values)];
    // A bar that reached zero would leave a logarithmic axis.
    const low = y.type === 'log' ? Math.max(center - spread, Math.min(...values)) : center - spread;
    return { series, x: at, y: scale * center, low: scale * low, high: scale * (center + spread) };
  });
  const [bottom, top] = [Math.min(...drawn.map((p) => p.low)), Math.max(...drawn.map((p) => p.high))];
  const ticks = LOG_TICKS.filter((tick) => tick >= bottom && tick <= top);
  const solid = drawn.filter((p) => !dashed.includes(p.series));
  const broken = drawn.filter((p) => dashed.includes(p.series));
  return renderSvg({
    ariaLabel,
    width: 860,
    height,
    marginLeft: 60,
    marginBottom: 44,
    inset: 8,
    marginRight,
    x: { labelAnchor: 'center', ...x },
    y: { grid: true, ...(y.type === 'log' ? { ticks, tickFormat: '~g' } : {}), ...y },
    color: { legend: false, scheme: 'observable10', domain: names },
    marks: [
      Plot.ruleX(drawn, { x: 'x', y1: 'low', y2: 'high', stroke: 'series', strokeWidth: 1.2 }),
      Plot.line(solid, { x: 'x', y: 'y', stroke: 'series', strokeWidth: 2 }),
      Plot.line(broken, { x: 'x', y: 'y', stroke: 'series', strokeWidth: 1.6, strokeDasharray: '6 4' }),
      Plot.dot(drawn, { x: 'x', y: 'y', fill: 'series', r: 3 }),
      ...legend(names),
    ],
  });
}

function namesOf(points: readonly SeriesPoint[]): string[] {
  return [...new Set(points.map(({ series }) => series))];
}
