// Tables and figures of experiments that vary a number: series with a mean and a spread over the seeds at each x.

import type { Table } from '@rebatch/report';
import type { Axis, SeriesFigure } from '@rebatch/report/figures';
import { unique } from './rows.ts';
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
    body: unique(points.map(({ x }) => x)).map((x) => [
      String(x),
      ...names.map((name) => {
        const point = points.find((p) => p.series === name && p.x === x);
        return point ? format(point.values) : '';
      }),
    ]),
  };
}

export interface SeriesFigureOptions {
  readonly title?: string;
  readonly x: Axis;
  readonly y: Axis;
  /** By what the values are multiplied; default 100, shares as percent. */
  readonly scale?: number;
  /** Series to draw dashed: references. */
  readonly dashed?: readonly string[];
  /** Whether to draw the spread over the seeds; default true. */
  readonly spread?: boolean;
  readonly height?: number;
  readonly marginRight?: number;
}

/** Means over the seeds, and one standard deviation either way. */
export function seriesFigure(points: readonly SeriesPoint[], options: SeriesFigureOptions): SeriesFigure {
  const { title, x, y, scale = 100, dashed = [], spread = true, height = 400, marginRight = 190 } = options;
  return {
    kind: 'series',
    ...(title === undefined ? {} : { title }),
    names: namesOf(points),
    points: points.map(({ series, x: at, values }) => {
      const [center, around] = [mean(values), deviation(values)];
      // A bar that reached zero would leave a logarithmic axis.
      const low = y.type === 'log' ? Math.max(center - around, Math.min(...values)) : center - around;
      return { series, x: at, y: scale * center, low: scale * low, high: scale * (center + around) };
    }),
    dashed,
    spread,
    x,
    y,
    file: { height, marginRight },
  };
}

function namesOf(points: readonly SeriesPoint[]): string[] {
  return unique(points.map(({ series }) => series));
}
