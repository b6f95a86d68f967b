import type * as Plot from '@observablehq/plot';
import type { Axis, SeriesFigure } from './figure.ts';
import { FILE_WIDTH, type Look, legend, type PlotLibrary } from './look.ts';

/** For errors in percent: enough of them wherever the values lie. */
const LOG_TICKS = [0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50];
/** Pixels that the label of a tick takes. */
const TICK_WIDTH = 34;

/** Lines through the means, with bars of one standard deviation over the seeds either way. */
export function drawSeries(plot: PlotLibrary, figure: SeriesFigure, look: Look): Plot.PlotOptions {
  const { names, points, dashed, spread, x, y, file } = figure;
  const width = look.width ?? FILE_WIDTH;
  const [bottom, top] = [Math.min(...points.map((p) => p.low)), Math.max(...points.map((p) => p.high))];
  const ticks = LOG_TICKS.filter((tick) => tick >= bottom && tick <= top);
  const solid = points.filter((p) => !dashed.includes(p.series));
  const broken = points.filter((p) => dashed.includes(p.series));
  return {
    width,
    ...(look.alone ? { height: file.height } : {}),
    marginLeft: look.alone ? 60 : 44,
    marginBottom: 44,
    inset: 8,
    marginRight: look.alone ? file.marginRight : 12,
    x: { labelAnchor: 'center', ...scale(look.alone ? x : fitted(thinned(x, points, width - 72), width)) },
    y: {
      grid: true,
      ...(y.type === 'log' ? { ticks, tickFormat: '~g' } : {}),
      ...scale(look.alone ? y : fitted(y, width)),
    },
    color: look.color(names),
    marks: [
      ...(spread
        ? [plot.ruleX(points, { x: 'x', y1: 'low', y2: 'high', stroke: 'series', strokeWidth: 1.2 })]
        : []),
      plot.line(solid, { x: 'x', y: 'y', stroke: 'series', strokeWidth: 2 }),
      plot.line(broken, { x: 'x', y: 'y', stroke: 'series', strokeWidth: 1.6, strokeDasharray: '6 4' }),
      plot.dot(points, { x: 'x', y: 'y', fill: 'series', r: 3 }),
      ...legend(plot, names, look),
    ],
  };
}

/** An axis as Plot takes it; it does not know lists as read-only. */
export const scale = (axis: Axis) => axis as Plot.ScaleOptions;

/** The axis without ticks whose labels would run into those before them. */
function thinned(axis: Axis, points: SeriesFigure['points'], width: number): Axis {
  const { ticks, type } = axis;
  if (type === 'point') {
    const all = [...new Set(points.map((point) => point.x))];
    const each = Math.ceil((TICK_WIDTH * all.length) / width);
    return { ...axis, ticks: all.filter((_, i) => i % each === 0) };
  }
  if (!Array.isArray(ticks)) return axis;
  const place = type === 'log' ? Math.log : (value: number) => value;
  const places = points.map((point) => place(point.x));
  const range = Math.max(...places) - Math.min(...places) || 1;
  const kept: number[] = [];
  for (const tick of ticks as readonly number[]) {
    const last = kept.at(-1);
    if (last === undefined || ((place(tick) - place(last)) / range) * width >= TICK_WIDTH) kept.push(tick);
  }
  return { ...axis, ticks: kept };
}

/** The axis with the first part of its label alone, where the page is too narrow for all of it. */
function fitted(axis: Axis, width: number): Axis {
  const room = width / 6.5;
  return axis.label.length <= room ? axis : { ...axis, label: axis.label.split(/, | \(/)[0] as string };
}
